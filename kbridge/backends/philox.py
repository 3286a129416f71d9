"""The numbers of Philox4x32-10 (https://doi.org/10.1145/2063384.2063405), for the backends that write it out."""

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)  # what a round adds to the key
