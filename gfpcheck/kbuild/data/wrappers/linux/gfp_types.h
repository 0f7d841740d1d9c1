/*
 * Stands before the kernel's own gfp_types.h: without CONFIG_LOCKDEP the kernel defines __GFP_NOLOCKDEP as 0, and
 * its authors' word that an allocation is safe would be lost.
 */
#ifdef CONFIG_LOCKDEP
#include_next <linux/gfp_types.h>
#else
#define CONFIG_LOCKDEP 1
#include_next <linux/gfp_types.h>
#undef CONFIG_LOCKDEP
#endif
