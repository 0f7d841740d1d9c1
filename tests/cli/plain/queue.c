#include "memory.h"

struct job {
	struct job *next;
	char *text;
};

struct queue {
	struct spin lock;
	struct sleeper order;
	struct job *first;
};

struct job *queue_add(struct queue *q)
{
	struct job *job;

	spin_enter(&q->lock);
	job = pool_take(sizeof(*job), GFP_KERNEL); /* GFP101 */
	if (job) {
		job->next = q->first;
		q->first = job;
	}
	spin_leave(&q->lock);
	return job;
}

struct job *queue_add_atomic(struct queue *q)
{
	struct job *job;

	spin_enter(&q->lock);
	job = pool_take(sizeof(*job), GFP_ATOMIC); /* not GFP101: it does not sleep */
	spin_leave(&q->lock);
	return job;
}

char *queue_text(struct queue *q, struct job *job)
{
	if (!spin_try(&q->lock))
		return pool_take_big(4096); /* not GFP101: the lock was not taken */
	job->text = pool_take_big(4096); /* GFP101 */
	spin_leave(&q->lock);
	return job->text;
}

void queue_sort(struct queue *q, size_t size)
{
	void *scratch;

	sleeper_enter(&q->order);
	scratch = pool_take(size, GFP_KERNEL | __GFP_NOFAIL); /* GFP301 */
	pool_give(scratch);
	sleeper_leave(&q->order);
}
