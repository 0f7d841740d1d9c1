// SPDX-License-Identifier: MIT
/* Restricted flags, each with something else that asks for it. GFP_NOIO is mentioned here, too. */
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

struct node_mount {
	struct mutex tree_lock;		/* taken to evict an inode */
	struct mutex list_lock;		/* not taken by reclaim */
	void *root;
};

struct node_trans {
	void *data;
	unsigned int nofs;
};

static void node_evict_inode(struct inode *inode)
{
	struct node_mount *mp = inode->i_sb->s_fs_info;

	mutex_lock(&mp->tree_lock);
	mp->root = NULL;
	mutex_unlock(&mp->tree_lock);
}

const struct super_operations node_super_ops = {
	.evict_inode = node_evict_inode,
};

static int node_insert(struct node_mount *mp)
{
	mp->root = kmalloc(64, GFP_NOFS);
	return mp->root ? 0 : -ENOMEM;
}

/* The lock that asks for the flag is taken here. */
int node_add(struct node_mount *mp)
{
	int err;

	mutex_lock(&mp->tree_lock);
	err = node_insert(mp);
	mutex_unlock(&mp->tree_lock);
	return err;
}

int node_start(struct node_trans *tp)
{
	tp->nofs = memalloc_nofs_save();
	return 0;
}

void node_end(struct node_trans *tp)
{
	memalloc_nofs_restore(tp->nofs);
}

int node_write(struct node_trans *tp)
{
	int err = node_start(tp);

	if (err)
		return err;
	tp->data = kmalloc(64, GFP_NOFS);
	node_end(tp);
	return tp->data ? 0 : -ENOMEM;
}

void *node_scope(void)
{
	unsigned int nofs = memalloc_nofs_save();
	void *found = kmalloc(64, GFP_NOFS);

	memalloc_nofs_restore(nofs);
	return found;
}

int node_list(struct node_mount *mp)
{
	int err = 0;

	mutex_lock(&mp->list_lock);
	mp->root = kmalloc(64, GFP_NOFS);
	if (!mp->root)
		err = -ENOMEM;
	mutex_unlock(&mp->list_lock);
	return err;
}

void *node_nothing(void)
{
	return kmalloc(64, GFP_NOFS);
}

/* Lockdep takes the new one for one that reclaim has. */
void *node_commented(void)
{
	return kmalloc(64, GFP_KERNEL | __GFP_NOLOCKDEP);
}

/* Nothing is written here: the caller says it. */
static void *node_given(gfp_t gfp)
{
	return kmalloc(64, gfp);
}

void *node_giving(void)
{
	return node_given(GFP_NOIO);
}
