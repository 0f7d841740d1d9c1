/*
 * Stands before the kernel's own sched.h: its macros that change the task's state end in assembly, or in a plain
 * assignment, and the word that it does not matter in nothing. Here each of them is a call.
 * A sched.h that another one includes half-way has not defined the macros yet: the outermost one does this.
 */
#include_next <linux/sched.h>

#if defined(set_current_state) && !defined(GFPCHECK_SCHED_H)
#define GFPCHECK_SCHED_H

#undef __set_current_state
#undef set_current_state
#undef set_special_state
#undef sched_annotate_sleep

void __set_current_state(unsigned int state);
void set_current_state(unsigned int state);
void set_special_state(unsigned int state);
void sched_annotate_sleep(void);
#endif
