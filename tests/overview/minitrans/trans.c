// SPDX-License-Identifier: MIT
/* Transactions, each of a type that takes memory in another way. */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

struct mt_res {
	unsigned int log;
	unsigned int flags;
};

struct mt_mount {
	struct mt_res tr_small;
	struct mt_res tr_create;
	struct mt_res tr_mkdir;
	struct mt_res tr_list;
	struct mt_res tr_levels;
	struct mt_res tr_roll;
	struct mt_res tr_defer;
	struct mt_res tr_super;
	struct mt_res tr_walk;
	struct mt_res tr_mode;
	struct mt_res tr_fast;
	struct mt_res tr_try;
	struct mt_res tr_never;
	struct list_head dirty;
};

struct mt_trans {
	struct mt_mount *mp;
	struct list_head items;
	unsigned int nofs;
	unsigned int flags;
};

#define MT_DIRTY 1
#define MT_SUPER 2
#define MT_PERMANENT 4

struct mt_item {
	struct list_head list;
	char data[80];
};

struct mt_cursor {
	unsigned char levels;
	char data[500];
};

static struct kmem_cache *mt_item_cache;

int mt_init(void)
{
	mt_item_cache = kmem_cache_create("mt_item", sizeof(struct mt_item), NULL, 0);
	return mt_item_cache ? 0 : -ENOMEM;
}

/* One object of 32 bytes for each transaction. */
int mt_alloc(struct mt_mount *mp, struct mt_res *res, unsigned int blocks, struct mt_trans **tpp)
{
	struct mt_trans *tp = kzalloc(sizeof(*tp), GFP_KERNEL | __GFP_NOFAIL);

	tp->nofs = memalloc_nofs_save();
	tp->mp = mp;
	if (res->flags & MT_PERMANENT)
		tp->flags |= MT_PERMANENT;
	if (res->log > blocks) {
		memalloc_nofs_restore(tp->nofs);
		kfree(tp);
		return -ENOSPC;
	}
	*tpp = tp;
	return 0;
}

static void mt_free(struct mt_trans *tp)
{
	memalloc_nofs_restore(tp->nofs);
	kfree(tp);
}

static void mt_log(struct mt_trans *tp);

/* Only those that are permanent put work off, and only those that have changed the superblock log it. */
int mt_commit(struct mt_trans *tp)
{
	struct mt_item *vector = kmalloc(4 * PAGE_SIZE, GFP_NOFS | __GFP_NOFAIL);

	if (tp->flags & MT_PERMANENT)
		mt_log(tp);
	if (tp->flags & MT_SUPER) {
		mt_log(tp);
		mt_log(tp);
	}
	list_add(&vector->list, &tp->mp->dirty);
	mt_free(tp);
	return 0;
}

void mt_cancel(struct mt_trans *tp)
{
	mt_free(tp);
}

/* The next transaction has the token of the last. */
int mt_roll(struct mt_trans **tpp)
{
	struct mt_trans *old = *tpp, *tp = kzalloc(sizeof(*tp), GFP_KERNEL | __GFP_NOFAIL);

	tp->nofs = old->nofs;
	tp->flags = MT_PERMANENT | (old->flags & MT_DIRTY);
	tp->mp = old->mp;
	old->nofs = 0;
	*tpp = tp;
	return mt_commit(old);
}

static void mt_log(struct mt_trans *tp)
{
	struct mt_item *item = kmem_cache_alloc(mt_item_cache, GFP_NOFS | __GFP_NOFAIL);

	list_add(&item->list, &tp->items);
}

/* What each type is given. */
void mt_init_types(struct mt_mount *mp)
{
	mp->tr_small.log = mp->tr_create.log = mp->tr_mkdir.log = mp->tr_list.log = mp->tr_levels.log = 1;
	mp->tr_roll.log = mp->tr_defer.log = mp->tr_super.log = mp->tr_walk.log = mp->tr_mode.log = mp->tr_fast.log = 2;
	mp->tr_try.log = 2;
	mp->tr_roll.flags |= MT_PERMANENT;
	mp->tr_defer.flags |= MT_PERMANENT;
}

/* Whoever calls it says how much: the places are those of the callers. */
static void *mt_get(size_t size)
{
	return kmalloc(size, GFP_NOFS | __GFP_NOFAIL);
}

/* Only what start and commit take. */
int mt_small(struct mt_mount *mp)
{
	struct mt_trans *tp;
	int error;

	error = mt_alloc(mp, &mp->tr_small, 0, &tp);
	if (error)
		return error;
	return mt_commit(tp);
}

/* A wrapper leaves the transaction to its caller, which chooses the type. */
static int mt_alloc_inode(struct mt_mount *mp, struct mt_res *res, struct mt_trans **tpp)
{
	int error = mt_alloc(mp, res, 1, tpp);

	if (error)
		return error;
	mt_log(*tpp);
	return 0;
}

int mt_create(struct mt_mount *mp, bool dir)
{
	struct mt_res *res;
	struct mt_trans *tp;
	struct mt_cursor *cursor;
	int error;

	if (dir)
		res = &mp->tr_mkdir;
	else
		res = &mp->tr_create;
	error = mt_alloc_inode(mp, res, &tp);
	if (error)
		return error;
	cursor = mt_get(sizeof(*cursor));
	cursor->levels = 1;
	kfree(cursor);
	if (dir)
		mt_log(tp);
	return mt_commit(tp);
}

/* The loop ends when the list does. */
int mt_sync(struct mt_mount *mp)
{
	struct mt_trans *tp;
	int error;

	error = mt_alloc(mp, &mp->tr_list, 1, &tp);
	if (error)
		return error;
	while (!list_empty(&mp->dirty)) {
		mt_log(tp);
		list_del(mp->dirty.next);
	}
	return mt_commit(tp);
}

#define MT_LEVELS 9

/* One for each level, of which there are at most nine. A transaction for each round is no loop of the transaction. */
int mt_grow(struct mt_mount *mp, struct mt_cursor *cursor, int rounds)
{
	unsigned int levels = cursor->levels;
	struct mt_trans *tp;
	int error, i, level;

	if (levels > MT_LEVELS)
		return -EINVAL;
	for (i = 0; i < rounds; i++) {
		error = mt_alloc(mp, &mp->tr_levels, 1, &tp);
		if (error)
			return error;
		for (level = 0; level < levels; level++)
			mt_log(tp);
		error = mt_commit(tp);
		if (error)
			return error;
	}
	return 0;
}

/* What comes after a roll belongs to it. */
int mt_move(struct mt_mount *mp, size_t size)
{
	struct mt_trans *tp;
	void *name;
	int error;

	error = mt_alloc(mp, &mp->tr_roll, 1, &tp);
	if (error)
		return error;
	error = mt_roll(&tp);
	if (error)
		goto cancel;
	name = mt_get(size);
	kfree(name);
	return mt_commit(tp);
cancel:
	mt_cancel(tp);
	return error;
}

int mt_defer(struct mt_mount *mp)
{
	struct mt_trans *tp;
	int error;

	error = mt_alloc(mp, &mp->tr_defer, 1, &tp);
	if (error)
		return error;
	return mt_commit(tp);
}

/* A lock that could be taken is no error: what follows is the way without one. */
int mt_try(struct mt_mount *mp, struct mutex *lock)
{
	struct mt_trans *tp;
	int error;

	if (!mutex_trylock(lock))
		return -EAGAIN;
	error = mt_alloc(mp, &mp->tr_try, 1, &tp);
	if (!error) {
		mt_log(tp);
		error = mt_commit(tp);
	}
	mutex_unlock(lock);
	return error;
}

static void mt_mod_super(struct mt_trans *tp)
{
	unsigned int flags = MT_DIRTY | MT_SUPER;

	tp->flags |= flags;
}

int mt_super(struct mt_mount *mp)
{
	struct mt_trans *tp;
	int error;

	error = mt_alloc(mp, &mp->tr_super, 1, &tp);
	if (error)
		return error;
	mt_mod_super(tp);
	return mt_commit(tp);
}

/* What a type of one byte can count to is no bound: nothing has 255 levels. */
int mt_walk(struct mt_mount *mp, struct mt_cursor *cursor)
{
	struct mt_trans *tp;
	int error, level;

	error = mt_alloc(mp, &mp->tr_walk, 1, &tp);
	if (error)
		return error;
	for (level = cursor->levels - 1; level >= 0; level--)
		mt_log(tp);
	return mt_commit(tp);
}

#define MT_MODE_PAGE 1
#define MT_MODE_ITEM 2

/* The mode is passed on: what another one allocates is not counted. */
static void mt_log_mode(struct mt_trans *tp, int mode)
{
	if (mode & MT_MODE_PAGE) {
		void *page = kmalloc(2 * PAGE_SIZE, GFP_NOFS | __GFP_NOFAIL);

		kfree(page);
	}
	if (mode & MT_MODE_ITEM)
		mt_log(tp);
}

static void mt_log_by(struct mt_trans *tp, int mode)
{
	mt_log_mode(tp, mode);
}

int mt_slow_and_fast(struct mt_mount *mp)
{
	struct mt_trans *tp;
	int error;

	error = mt_alloc(mp, &mp->tr_mode, 1, &tp);
	if (error)
		return error;
	mt_log_by(tp, MT_MODE_PAGE);
	error = mt_commit(tp);
	if (error)
		return error;
	error = mt_alloc(mp, &mp->tr_fast, 1, &tp);
	if (error)
		return error;
	mt_log_by(tp, MT_MODE_ITEM);
	return mt_commit(tp);
}

/* Not between a start and an end. */
void *mt_outside(void)
{
	return kmalloc(8, GFP_KERNEL);
}

#define MT_HT_INODE 1
#define MT_HT_DIR 2

struct mt_handle {
	unsigned int nofs;
};

struct mt_handle *mt_journal_start(struct mt_mount *mp, int type)
{
	struct mt_handle *handle = kmalloc(sizeof(*handle), GFP_NOFS);

	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->nofs = memalloc_nofs_save();
	return handle;
}

int mt_journal_stop(struct mt_handle *handle)
{
	memalloc_nofs_restore(handle->nofs);
	kfree(handle);
	return 0;
}

/* Two tries, and then no more. */
int mt_write_inode(struct mt_mount *mp)
{
	struct mt_handle *handle;
	bool again = true;
	void *page;

	handle = mt_journal_start(mp, MT_HT_INODE);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
retry:
	page = kmalloc(PAGE_SIZE, GFP_NOFS);
	if (!page && again) {
		again = false;
		goto retry;
	}
	kfree(page);
	return mt_journal_stop(handle);
}

int mt_rename(struct mt_mount *mp, void (*fill)(void *))
{
	struct mt_handle *handle;
	struct mt_item *item;

	handle = mt_journal_start(mp, MT_HT_DIR);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	item = kmalloc(sizeof(*item), GFP_NOFS);
	if (!item) {
		mt_journal_stop(handle);
		return -ENOMEM;
	}
	list_add(&item->list, &mp->dirty);
	fill(item);
	return mt_journal_stop(handle);
}
