"""How Numba compiles a kernel: at once, with all that it calls (see `kernel_compiler`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
from numba.core import cgutils, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering
from numba.np import arrayobj


def pipeline_of_whole(state: Any) -> PassManager:
    """The passes that make a kernel that Python calls."""
    return _pipeline(state, _WholeLowering)


def pipeline_of_part(state: Any) -> PassManager:
    """The passes that make a function that kernels call."""
    return _pipeline(state, _PartLowering)


def _pipeline(state: Any, lowering: type[NativeLowering]) -> PassManager:
    """Numba's own, with another lowering."""
    usual = DefaultPassBuilder.define_nopython_pipeline(state)
    pipeline = PassManager("kernel")
    for each, description in usual.passes:
        pipeline.add_pass(lowering if each is NativeLowering else each, description)
    pipeline.finalize()
    return pipeline


class _Library(JITCodeLibrary):
    def _optimize_final_module(self) -> None:
        """Once, not twice: Numba's first time is for counts of references, which are not there."""
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


class _WholeLibrary(_Library):
    """Is kept without what Numba would link it into another function from: nobody does."""

    def serialize_using_object_code(self) -> Any:
        """As Numba does, with names alone in place of the module."""
        names = (f.name for f in self.get_defined_functions() if f.linkage is llvm.Linkage.external)
        bodies = (f'define void @"{name}"() {{ unreachable }}' for name in names)
        outline = llvm.parse_assembly("\n".join(bodies)).as_bitcode()
        return self.name, "object", (self._get_compiled_object(), outline)


class _PartLibrary(_Library):
    """Is linked into wholes. To optimise it before that, too, makes dissection a tenth faster."""

    def _finalize_final_module(self) -> None:
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _WholeLowering(NativeLowering):
    _name = "kernel_whole_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _WholeLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        with _strict_indices():
            return super().run_pass(state)  # type: ignore[no-any-return]  # Numba is untyped


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):
    _name = "kernel_part_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        with _strict_indices():
            super().run_pass(state)
        lowered = state["cr"]
        entry = object()  # in place of what Python could call: calls from kernels go by it
        state.targetctx.insert_user_function(entry, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=entry)
        return True


@contextmanager
def _strict_indices() -> Iterator[None]:
    """Put ours in place of what Numba generates for an index, so that one below 0 is refused.

    Numba lets it count from the end, which no kernel means, and which costs every index three
    instructions and a second comparison: together some percent of all time. Whoever compiles holds
    Numba's lock: nobody else does meanwhile.
    """

    def as_it_is(context: Any, builder: Any, kind: Any, index: Any, size: Any) -> Any:
        return context.cast(builder, index, kind, types.intp)

    def check(context: Any, builder: Any, index: Any, size: Any, axis: Any = None) -> None:
        # A negative number is a large one without its sign.
        beyond = builder.icmp_unsigned(">=", index, size)
        with cgutils.if_unlikely(builder, beyond):
            reason = ("index is out of bounds",)
            context.call_conv.return_user_exc(builder, IndexError, reason)

    kept = arrayobj.fix_integer_index, cgutils.do_boundscheck
    arrayobj.fix_integer_index, cgutils.do_boundscheck = as_it_is, check
    try:
        yield
    finally:
        arrayobj.fix_integer_index, cgutils.do_boundscheck = kept
