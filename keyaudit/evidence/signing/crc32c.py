"""CRC-32C (Castagnoli; RFC 3720, appendix B.4), which guards what Google is sent and what it answers."""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78
"""Its bits from the lowest power to the highest."""
_ALL = 0xFFFFFFFF


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_REMAINDERS = tuple(map(_remainder, range(256)))


def crc32c(content: bytes) -> int:
    """Give the checksum, as a number of 32 bits."""
    rest = _ALL
    for byte in content:
        rest = _REMAINDERS[(rest ^ byte) & 0xFF] ^ rest >> 8
    return rest ^ _ALL
