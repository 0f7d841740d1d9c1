/* A small runtime with allocation flags of its own values under the kernel's names, and its own locks. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

typedef unsigned int gfp_t;

enum {
	__GFP_DIRECT_RECLAIM = 1 << 4,
	__GFP_IO = 1 << 5,
	__GFP_FS = 1 << 6,
	__GFP_NOFAIL = 1 << 7,
};

#define GFP_KERNEL (__GFP_DIRECT_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_ATOMIC 0

struct spin {
	int taken;
};

struct sleeper {
	int owner;
};

void spin_enter(struct spin *lock);
int spin_try(struct spin *lock);
void spin_leave(struct spin *lock);
void sleeper_enter(struct sleeper *lock);
void sleeper_leave(struct sleeper *lock);

void *pool_take(size_t size, gfp_t flags);
void *pool_take_big(size_t size);
void pool_give(void *memory);

#endif
