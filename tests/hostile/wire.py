"""Protocol buffer bytes written by hand, wrong ones too."""

from collections.abc import Iterable


def varint(number: int, length: int = 0) -> bytes:
    """Write a number of 64 bits; a greater length than needed makes it overlong."""
    number %= 1 << 64
    octets = bytearray()
    while number >= 0x80 or len(octets) + 1 < length:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def whole(field: int, number: int) -> bytes:
    """Write a field that holds a number."""
    return varint(field << 3) + varint(number)


def part(field: int, content: bytes | str) -> bytes:
    """Write a field that holds bytes, a text or another message."""
    octets = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(octets)) + octets


def model(graph: bytes, functions: Iterable[bytes] = (), opset: int = 21) -> bytes:
    """Write a model around a graph."""
    head = whole(1, 10) + part(8, whole(2, opset)) + part(8, part(1, "local") + whole(2, 1))
    return head + part(7, graph) + b"".join(part(25, function) for function in functions)


def node(
    operator: str,
    inputs: Iterable[str] = ("x",),
    outputs: Iterable[str] = ("y",),
    attributes: Iterable[bytes] = (),
    domain: str = "",
) -> bytes:
    """Write a node."""
    return b"".join(
        (
            *(part(1, name) for name in inputs),
            *(part(2, name) for name in outputs),
            part(4, operator),
            *(part(5, attribute) for attribute in attributes),
            *([part(7, domain)] if domain else []),
        )
    )


def graph_attribute(name: str, graph: bytes) -> bytes:
    """Write an attribute that holds a graph."""
    return part(1, name) + part(6, graph) + whole(20, 5)


def whole_attribute(name: str, number: int) -> bytes:
    """Write an attribute that holds a number."""
    return part(1, name) + whole(3, number) + whole(20, 2)


def tensor_type(dtype: int, shape: Iterable[int]) -> bytes:
    """Write the type of a tensor."""
    lengths = b"".join(part(1, whole(1, length)) for length in shape)
    return part(1, whole(1, dtype) + part(2, lengths))


def value(name: str, dtype: int = 1, shape: Iterable[int] = (2,)) -> bytes:
    """Write the declaration of an input or output."""
    return part(1, name) + part(2, tensor_type(dtype, shape))


def graph(
    nodes: Iterable[bytes],
    inputs: Iterable[bytes] = (),
    outputs: Iterable[bytes] = (),
    initialisers: Iterable[bytes] = (),
) -> bytes:
    """Write a graph."""
    return b"".join(
        (
            *(part(1, item) for item in nodes),
            part(2, "g"),
            *(part(5, item) for item in initialisers),
            *(part(11, item) for item in inputs),
            *(part(12, item) for item in outputs),
        )
    )
