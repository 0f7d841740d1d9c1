/*
 * Included last, after the kernel's own compiler_types.h: hands annotations that the kernel
 * throws away for every compiler but sparse to the parser, as text.
 * The argument is deliberately not expanded: it names a lock in the words of the source.
 */
#ifndef GFPCHECK_ANNOTATIONS_H
#define GFPCHECK_ANNOTATIONS_H

#ifndef __ASSEMBLY__

#define GFPCHECK_NOTE(text) __attribute__((annotate(text)))

#undef __acquires
#undef __acquires_shared
#undef __cond_acquires
#undef __cond_acquires_shared
#undef __releases
#undef __releases_shared
#undef __must_hold
#undef __must_hold_shared
#define __acquires(...) GFPCHECK_NOTE("acquires:" #__VA_ARGS__)
#define __acquires_shared(...) GFPCHECK_NOTE("acquires_shared:" #__VA_ARGS__)
#define __cond_acquires(...) GFPCHECK_NOTE("cond_acquires:" #__VA_ARGS__)
#define __cond_acquires_shared(...) GFPCHECK_NOTE("cond_acquires_shared:" #__VA_ARGS__)
#define __releases(...) GFPCHECK_NOTE("releases:" #__VA_ARGS__)
#define __releases_shared(...) GFPCHECK_NOTE("releases_shared:" #__VA_ARGS__)
#define __must_hold(...) GFPCHECK_NOTE("must_hold:" #__VA_ARGS__)
#define __must_hold_shared(...) GFPCHECK_NOTE("must_hold_shared:" #__VA_ARGS__)

/* Expanded once more than written, so that the text names the final function. */
#define GFPCHECK_CLEANUP(fn) __attribute__((__cleanup__(fn), annotate("cleanup:" #fn)))
#undef __cleanup
#define __cleanup(fn) __attribute__((__unused__)) GFPCHECK_CLEANUP(fn)

#undef __noreturn
#define __noreturn __attribute__((__noreturn__, annotate("noreturn")))

#endif
#endif
