"""What a kernel can do that is not said in Python's words: instructions of the processor."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numba.np import arrayobj


@intrinsic
def _prefetch(typing_context: Any, rows: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = arrayobj.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), cgutils.voidptr_t)
        read, nearest, data = (ir.Constant(ir.IntType(32), number) for number in (0, 3, 1))
        kind = ir.FunctionType(ir.VoidType(), [place.type, read.type, nearest.type, data.type])
        name = f"llvm.prefetch.p0{'' if str(place.type) == 'ptr' else 'i8'}"
        called = cgutils.get_or_insert_function(builder.module, kind, name)
        builder.call(called, [place, read, nearest, data])
        return context.get_dummy_value()

    return types.void(rows, types.intp), generate


def prefetch_type() -> Any:
    """What `prefetch` of `kernel` is to Numba's type inference."""
    return _type_of(_prefetch)


def reader_type(size: int, swapped: bool) -> Any:
    """What a reader of `kernel` is: of `size` bytes, in the other order than the processor's."""
    return _type_of(_reader(size, swapped))


def _reader(size: int, swapped: bool) -> Any:
    number = ir.IntType(8 * size)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data, at, _ = arguments
        array = arrayobj.make_array(signature.args[0])(context, builder, data)
        field = ir.Constant(at.type, signature.args[2].literal_value)
        behind = ir.Constant(at.type, signature.args[2].literal_value + size)
        # No array has so many bytes that these wrap (nsw). Only as the compiler knows that, it sees
        # what a comparison before, of the whole header, says of this one.
        last = builder.sub(array.nitems, behind, flags=["nsw"])
        begins = builder.icmp_signed(">=", at, ir.Constant(at.type, 0))
        inside = builder.and_(begins, builder.icmp_signed("<=", at, last))
        with cgutils.if_unlikely(builder, builder.not_(inside)):
            reason = ("index is out of bounds",)
            context.call_conv.return_user_exc(builder, IndexError, reason)
        place = builder.gep(array.data, [builder.add(at, field, flags=["nsw"])])
        value = builder.load(builder.bitcast(place, number.as_pointer()))
        value.align = 1
        if swapped and size > 1:
            value = builder.bswap(value)
        return value if number == at.type else builder.zext(value, at.type)

    @intrinsic(prefer_literal=True)
    def read(typing_context: Any, data: Any, at: Any, field: Any) -> Any:
        contiguous = isinstance(data, types.Array) and (data.ndim, data.layout) == (1, "C")
        constant = isinstance(field, types.IntegerLiteral) and field.literal_value >= 0
        if not (contiguous and data.dtype == types.uint8 and constant):
            return None
        return types.int64(data, types.int64, field), generate

    return read


def _type_of(function: Any) -> Any:
    typing = cpu_target.typing_context
    typing.refresh()
    return typing.resolve_value_type(function)
