"""Measures of animated clips, each by one stated protocol. `table.METRICS` lists them all.

`frames`: PSNR, SSIM, LPIPS. `sets`: FVD, FID, the MobileNet distance. `person`: pose, head, expression, identity.
`time`: flicker, drift, jumps where segments join.
"""
