/*
 * Stands before the kernel's own percpu-defs.h: an address of this CPU's copy comes out of assembly there, or of
 * arithmetic, and nothing would tell which variable's copy it is. Here it is the address of the variable.
 * A percpu-defs.h that another one includes half-way has not defined the macros yet: the outermost one does this.
 */
#include_next <linux/percpu-defs.h>

#if defined(raw_cpu_ptr) && !defined(GFPCHECK_PERCPU_DEFS_H)
#define GFPCHECK_PERCPU_DEFS_H

#undef raw_cpu_ptr
#undef this_cpu_ptr

#define raw_cpu_ptr(ptr)		\
({					\
	__verify_pcpu_ptr(ptr);		\
	(typeof(*(ptr)) *)(ptr);	\
})
#define this_cpu_ptr(ptr) raw_cpu_ptr(ptr)
#endif
