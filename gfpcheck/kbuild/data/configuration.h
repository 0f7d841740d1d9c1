/*
 * Included right after the kernel's kconfig.h: undoes options of a configuration made for gcc
 * that cost the parser much or that it does not understand.
 */
#undef CONFIG_TRACEPOINTS
#undef CONFIG_EVENT_TRACING
#undef CONFIG_CC_HAS_COUNTED_BY
#undef CONFIG_CC_HAS_COUNTED_BY_PTR
#undef CONFIG_CC_HAS_TYPEOF_UNQUAL
#undef CONFIG_CC_HAS_MULTIDIMENSIONAL_NONSTRING

/* The top Makefile defines this for function tracing; without it asm/ftrace.h of x86 is an error. */
#if defined(CONFIG_FUNCTION_TRACER) && defined(CONFIG_HAVE_FENTRY) && !defined(CC_USING_FENTRY)
#define CC_USING_FENTRY
#endif
