// SPDX-License-Identifier: MIT
/* Locks that are held while memory is asked for. Evicting an inode takes some of them. */
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

struct pool {
	struct mutex tree_lock;		/* taken by reclaim */
	struct mutex map_lock;		/* taken by reclaim, too */
	struct mutex list_lock;		/* waited for with map_lock held */
	struct mutex name_lock;		/* only tried with map_lock held */
	struct mutex scope_lock;	/* nothing reclaims under it */
	struct mutex stat_lock;		/* dropped to allocate */
	struct mutex hook_lock;		/* taken by reclaim, and by a hook */
	struct mutex sure_lock;		/* what is allocated under it may not fail */
	struct mutex kill_lock;		/* who waits for it can be killed */
	struct rw_semaphore read_lock;	/* read by all, with map_lock held as well */
	void *root;
	void *list;
};

static int pool_count(struct pool *pool)
{
	int count;

	mutex_lock(&pool->list_lock);
	count = pool->list != NULL;
	mutex_unlock(&pool->list_lock);
	return count;
}

static void pool_evict_inode(struct inode *inode)
{
	struct pool *pool = inode->i_sb->s_fs_info;

	mutex_lock(&pool->tree_lock);
	pool->root = NULL;
	mutex_unlock(&pool->tree_lock);
	mutex_lock(&pool->map_lock);
	pool->list = NULL;
	mutex_unlock(&pool->map_lock);
	mutex_lock(&pool->hook_lock);
	mutex_unlock(&pool->hook_lock);
}

const struct super_operations pool_super_ops = {
	.evict_inode = pool_evict_inode,
};

/* A cycle of one lock. */
int pool_grow(struct pool *pool)
{
	mutex_lock(&pool->tree_lock);
	pool->root = kmalloc(64, GFP_KERNEL);
	mutex_unlock(&pool->tree_lock);
	return pool->root ? 0 : -ENOMEM;
}

static void *pool_new(gfp_t gfp)
{
	return kmalloc(64, gfp);
}

static void *pool_take(bool sure)
{
	if (!sure)
		return kmalloc(64, GFP_ATOMIC);
	return kmalloc(64, GFP_KERNEL);
}

/* Only one of them is made under the lock. */
void pool_tree(struct pool *pool)
{
	mutex_lock(&pool->name_lock);
	pool->root = pool_take(false);
	mutex_unlock(&pool->name_lock);
	pool->list = pool_take(true);
}

/* A cycle of two: this is the one half ... */
int pool_add(struct pool *pool)
{
	mutex_lock(&pool->list_lock);
	pool->list = pool_new(GFP_KERNEL);
	mutex_unlock(&pool->list_lock);
	return pool->list ? 0 : -ENOMEM;
}

/* ... and this the other one. */
int pool_map(struct pool *pool)
{
	int count;

	mutex_lock(&pool->map_lock);
	count = pool_count(pool);
	mutex_unlock(&pool->map_lock);
	return count;
}

/* No order: nobody waits for name_lock here. */
int pool_try(struct pool *pool)
{
	int done = 0;

	mutex_lock(&pool->map_lock);
	if (mutex_trylock(&pool->name_lock)) {
		done = 1;
		mutex_unlock(&pool->name_lock);
	}
	mutex_unlock(&pool->map_lock);
	return done;
}

int pool_name(struct pool *pool)
{
	mutex_lock(&pool->name_lock);
	pool->root = kmalloc(16, GFP_KERNEL);
	mutex_unlock(&pool->name_lock);
	return pool->root ? 0 : -ENOMEM;
}

/* An order, but reclaim does not get to the file system in the scope. */
int pool_scope(struct pool *pool)
{
	unsigned int nofs;

	mutex_lock(&pool->map_lock);
	mutex_lock(&pool->scope_lock);
	mutex_unlock(&pool->scope_lock);
	mutex_unlock(&pool->map_lock);
	mutex_lock(&pool->scope_lock);
	nofs = memalloc_nofs_save();
	pool->root = kmalloc(64, GFP_KERNEL);
	memalloc_nofs_restore(nofs);
	mutex_unlock(&pool->scope_lock);
	return pool->root ? 0 : -ENOMEM;
}

static void pool_fill(struct pool *pool)
{
	mutex_unlock(&pool->stat_lock);
	pool->root = kmalloc(128, GFP_KERNEL);
	mutex_lock(&pool->stat_lock);
}

/* The lock is given back meanwhile: nothing is allocated under it. */
void pool_stat(struct pool *pool)
{
	mutex_lock(&pool->map_lock);
	mutex_lock(&pool->stat_lock);
	mutex_unlock(&pool->stat_lock);
	mutex_unlock(&pool->map_lock);
	mutex_lock(&pool->stat_lock);
	pool_fill(pool);
	mutex_unlock(&pool->stat_lock);
}

/* All only read: nobody waits. */
int pool_read(struct pool *pool)
{
	down_read(&pool->read_lock);
	pool->root = kmalloc(64, GFP_KERNEL);
	up_read(&pool->read_lock);
	mutex_lock(&pool->map_lock);
	down_read(&pool->read_lock);
	up_read(&pool->read_lock);
	mutex_unlock(&pool->map_lock);
	return pool->root ? 0 : -ENOMEM;
}

/* Whoever calls the hook may have opened a scope. */
static int pool_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pool *pool = data;

	mutex_lock(&pool->hook_lock);
	pool->root = kmalloc(64, GFP_KERNEL);
	mutex_unlock(&pool->hook_lock);
	return 0;
}

struct notifier_block pool_nb = {
	.notifier_call = pool_notify,
};

/* May not fail; who waits for the lock cannot be killed ... */
static long pool_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pool *pool = file->private_data;

	mutex_lock(&pool->sure_lock);
	pool->root = kmalloc(64, GFP_NOFS | __GFP_NOFAIL);
	mutex_unlock(&pool->sure_lock);
	return 0;
}

static int pool_release(struct inode *inode, struct file *file)
{
	struct pool *pool = file->private_data;

	mutex_lock(&pool->sure_lock);
	pool->root = NULL;
	mutex_unlock(&pool->sure_lock);
	return 0;
}

/* ... or can. */
static int pool_open(struct inode *inode, struct file *file)
{
	struct pool *pool = file->private_data;

	if (mutex_lock_killable(&pool->kill_lock))
		return -EINTR;
	pool->root = kmalloc(64, GFP_NOFS | __GFP_NOFAIL);
	mutex_unlock(&pool->kill_lock);
	return 0;
}

const struct file_operations pool_file_ops = {
	.unlocked_ioctl = pool_ioctl,
	.release = pool_release,
	.open = pool_open,
};
