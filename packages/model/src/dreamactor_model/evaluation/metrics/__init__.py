"""Measures of a video, each by one stated protocol.

`pixels` (PSNR, SSIM), `perceptual` (LPIPS), `video_distance` (FVD, by `i3d` and `frechet`).
"""
