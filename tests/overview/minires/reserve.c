// SPDX-License-Identifier: MIT
/* Allocations that may not fail, of each kind; __GFP_NOFAIL is mentioned in this comment, too. */
#include <linux/buffer_head.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#define RES_SURELY	(GFP_KERNEL | __GFP_NOFAIL)
#define RES_MOST	32U

struct res_item {
	struct res_item *next;
	u64 block;
	u16 count;
};

struct res_log_res {
	unsigned int bytes;
};

struct res_mount {
	struct res_log_res tr_write;
	struct res_log_res tr_grow;
	struct mutex lock;
	struct res_item *items;
};

struct res_trans {
	struct res_log_res *res;
	unsigned int nofs;
};

static struct kmem_cache *res_item_cache;

int res_init(void)
{
	res_item_cache = kmem_cache_create("res_item", sizeof(struct res_item), NULL, 0);
	return res_item_cache ? 0 : -ENOMEM;
}

int res_trans_alloc(struct res_log_res *res, struct res_trans **tpp)
{
	struct res_trans *tp = kzalloc(sizeof(*tp), GFP_KERNEL);

	if (!tp)
		return -ENOMEM;
	tp->res = res;
	tp->nofs = memalloc_nofs_save();
	*tpp = tp;
	return 0;
}

void res_trans_commit(struct res_trans *tp)
{
	memalloc_nofs_restore(tp->nofs);
	kfree(tp);
}

/* Adds the flag for its callers. */
static struct res_item *res_item_alloc(void)
{
	return kmem_cache_alloc(res_item_cache, GFP_KERNEL | __GFP_NOFAIL);
}

/* A mutex is held, and a transaction open. */
int res_add(struct res_mount *mp, u64 block)
{
	struct res_trans *tp;
	struct res_item *item;
	int err = res_trans_alloc(&mp->tr_write, &tp);

	if (err)
		return err;
	mutex_lock(&mp->lock);
	item = res_item_alloc();
	item->block = block;
	item->next = mp->items;
	mp->items = item;
	mutex_unlock(&mp->lock);
	res_trans_commit(tp);
	return 0;
}

/* Never gives up, unless it is told to. */
static void *res_alloc(size_t size, bool may_fail)
{
	void *found;

	for (;;) {
		found = kmalloc(size, GFP_KERNEL);
		if (found || may_fail)
			return found;
		memalloc_retry_wait(GFP_KERNEL);
	}
}

void *res_sure(size_t size)
{
	return res_alloc(size, false);
}

void *res_unsure(size_t size)
{
	return res_alloc(size, true);
}

/* Bounded by the type of the count, by a comparison, by nothing. */
void *res_copy(struct res_item *item)
{
	return kmalloc(item->count * sizeof(u64), RES_SURELY);
}

void *res_some(unsigned int number)
{
	if (number > RES_MOST)
		number = RES_MOST;
	return kmalloc(number * sizeof(struct res_item), GFP_NOFS | __GFP_NOFAIL);
}

void *res_any(size_t number)
{
	gfp_t gfp = GFP_KERNEL;

	gfp |= __GFP_NOFAIL;
	return kmalloc(number, gfp);
}

/* The flags are the callers', here but for one. */
static void *res_refusing(gfp_t gfp)
{
	if (gfp & __GFP_NOFAIL)
		gfp &= ~__GFP_NOFAIL;
	return kmalloc(sizeof(struct res_item), gfp);
}

void *res_refused(void)
{
	return res_refusing(GFP_KERNEL | __GFP_NOFAIL);
}

static void *res_taking(gfp_t gfp)
{
	return kmalloc(sizeof(struct res_item), gfp);
}

void *res_giving(void)
{
	return res_taking(GFP_KERNEL | __GFP_NOFAIL);
}

void *res_perhaps(gfp_t gfp)
{
	if (!(gfp & __GFP_FS))
		gfp |= __GFP_NOFAIL;
	return kmem_cache_zalloc(res_item_cache, gfp);
}

struct buffer_head *res_read(struct super_block *sb, sector_t block)
{
	return sb_bread(sb, block);
}

/* Too small to fail. */
void res_small(struct res_mount *mp)
{
	struct res_item *item = kzalloc(sizeof(*item), GFP_KERNEL);

	item->block = 1;
	mp->items = item;
}

/* Somebody looks. */
void res_looks(struct res_mount *mp)
{
	struct res_item *item = kzalloc(sizeof(*item), GFP_KERNEL);

	if (item) {
		item->block = 1;
		mp->items = item;
	}
}

#ifdef CONFIG_RES_NEVER
void *res_dead(void)
{
	return kmalloc(8, GFP_KERNEL | __GFP_NOFAIL);
}
#endif
