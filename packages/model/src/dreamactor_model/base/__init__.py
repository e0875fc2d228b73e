"""Public Wan weights become a model of ours (paper 4.1: trained on a pretrained base).

`names.py` knows the two ways in which they are named, `source.py` the files, `sizes.py` which preset they are,
`newborn.py` what the base lacks, `prompt.py` the one prompt, `wan_import.py` puts it together, tensor by tensor.
"""
