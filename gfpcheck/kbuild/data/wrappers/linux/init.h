/*
 * Stands before the kernel's own init.h: says of each function that is thrown away after boot that it is one, which a
 * section's name does not tell the parser.
 * An init.h that another one includes half-way has not defined the macro yet: the outermost one does this.
 */
#include_next <linux/init.h>

#if defined(__init) && defined(GFPCHECK_NOTE) && !defined(GFPCHECK_INIT_H)
#define GFPCHECK_INIT_H

#undef __init
#define __init __attribute__((__section__(".init.text"))) GFPCHECK_NOTE("init")
#endif
