"""Numbers as protobuf writes them: seven bits a byte, the lowest first. Pure."""


def varint(number: int) -> bytes:
    """Return `number`, not negative, as protobuf writes it."""
    if number < 0x80:
        return b"%c" % number
    if number < 0x4000:
        return b"%c%c" % (number & 0x7F | 0x80, number >> 7)
    groups = bytearray()
    while number >= 0x80:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)
