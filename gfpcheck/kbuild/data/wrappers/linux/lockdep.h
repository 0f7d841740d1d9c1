/*
 * Stands before the kernel's own lockdep.h: without CONFIG_LOCKDEP the kernel's assertions vanish, and with it they come
 * apart into tests. Here each of them is a call, so that its authors' word that a lock is held is read.
 * A lockdep.h that another one includes half-way has not defined the macros yet: the outermost one does this.
 */
#include_next <linux/lockdep.h>

#if defined(lockdep_assert_held) && !defined(GFPCHECK_LOCKDEP_H)
#define GFPCHECK_LOCKDEP_H

#undef lockdep_assert_held
#undef lockdep_assert_held_once
#undef lockdep_assert_held_write
#undef lockdep_assert_held_read
#undef lockdep_assert_irqs_disabled
#undef lockdep_assert_in_irq
#undef lockdep_assert_in_softirq
#undef lockdep_assert_preemption_disabled

void lockdep_assert_held(const volatile void *lock);
void lockdep_assert_held_once(const volatile void *lock);
void lockdep_assert_held_write(const volatile void *lock);
void lockdep_assert_held_read(const volatile void *lock);
void lockdep_assert_irqs_disabled(void);
void lockdep_assert_in_irq(void);
void lockdep_assert_in_softirq(void);
void lockdep_assert_preemption_disabled(void);
#endif
