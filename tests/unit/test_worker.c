/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that does the jobs: real processes, real time. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

#define LONG_TIME UINT64_C(20000000)

static int marks[2]; /* a pipe, for what was done */
static int gates[2]; /* a pipe, for what may end */

/* What the value of a job makes the worker do. */
static void execute(void *arg, const struct job *job, struct job_result *ret)
{
	assert_string_equal((const char *)arg, "argument");
	if (strcmp(job->value, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(job->value, "die") == 0)
		raise(SIGKILL);
	if (strcmp(job->value, "exit") == 0)
		_exit(0);
	if (strcmp(job->value, "slow") == 0)
		usleep(50000);
	if (strcmp(job->value, "mark") == 0)
		assert_int_equal(write(marks[1], "x", 1), 1);
	if (strcmp(job->value, "gate") == 0) {
		char byte;

		assert_int_equal(read(gates[0], &byte, 1), 1);
	}
	if (strcmp(job->value, "dead") == 0) {
		ret->error = -ENXIO;
		return;
	}
	if (strcmp(job->value, "full") == 0) {
		memset(ret->text, 'x', sizeof(ret->text));
		ret->length = sizeof(ret->text);
		return;
	}
	ret->error = -EXDEV;
	ret->is_unsafe = true;
	ret->length = (uint32_t)snprintf(ret->text, sizeof(ret->text), "%d %s %s",
					 (int)getpid(), job->path, job->value);
}

static struct worker new_worker(void)
{
	return (struct worker){.fd = -1, .execute = execute, .arg = (void *)"argument"};
}

static struct job new_job(const char *value)
{
	struct job job = {.kind = JOB_STORE, .path = "path"};

	snprintf(job.value, sizeof(job.value), "%s", value);
	return job;
}

/* Jobs with these values, up to NULL. */
static struct jobs list_of(const char *value, ...)
{
	struct jobs jobs = {0};
	va_list ap;

	va_start(ap, value);
	for (; value; value = va_arg(ap, const char *)) {
		struct job job = new_job(value);

		assert_true(jobs_add(&jobs, &job));
	}
	va_end(ap);
	return jobs;
}

static int run(struct worker *worker, const char *value, uint64_t timeout,
	       struct job_result *result)
{
	struct jobs jobs = list_of(value, NULL);
	int r = worker_submit(worker, &jobs);

	memset(result, 0xaa, sizeof(*result));
	return r < 0 ? r : worker_await(worker, timeout, result);
}

static void test_one_process_serves_all_jobs(void **state unused)
{
	struct worker worker = new_worker();
	static struct job_result result;
	char want[64];

	for (int i = 0; i < 5; i++) {
		assert_int_equal(run(&worker, "echo", LONG_TIME, &result), 0);
		assert_int_equal(result.error, -EXDEV);
		assert_true(result.is_unsafe);
		assert_false(result.is_found);
		snprintf(want, sizeof(want), "%d path echo", (int)worker.pid);
		assert_int_equal(result.length, strlen(want));
		assert_memory_equal(result.text, want, result.length);
	}
	assert_true(worker.pid != getpid());
	worker_stop(&worker);
	assert_int_equal(worker.pid, 0);
	assert_int_equal(worker_await(&worker, 0, &result), -ESRCH);
}

static void test_results_of_any_length(void **state unused)
{
	struct worker worker = new_worker();
	static struct job_result result;

	assert_int_equal(run(&worker, "full", LONG_TIME, &result), 0);
	assert_int_equal(result.length, JOB_TEXT_SIZE);
	assert_int_equal(result.text[JOB_TEXT_SIZE - 1], 'x');
	assert_int_equal(run(&worker, "", LONG_TIME, &result), 0);
	worker_stop(&worker);
}

static void test_job_that_takes_longer(void **state unused)
{
	struct worker worker = new_worker();
	static struct job_result result;

	assert_int_equal(run(&worker, "slow", 1000, &result), -EINPROGRESS);
	assert_int_equal(worker_await(&worker, LONG_TIME, &result), 0);
	worker_stop(&worker);
}

/* What takes longer goes on in its own process, and its result is not lost. */
static void test_job_that_others_overtake(void **state unused)
{
	struct worker worker = new_worker(), parked = {.fd = -1};
	static struct job_result result;
	char want[64];
	pid_t slow;

	assert_int_equal(run(&worker, "slow", 1000, &result), -EINPROGRESS);
	slow = worker.pid;
	worker_move(&worker, &parked);
	assert_int_equal(worker.pid, 0);
	assert_int_equal(run(&worker, "echo", LONG_TIME, &result), 0);
	assert_true(worker.pid != slow);
	worker_stop(&worker);
	worker_move(&parked, &worker);
	assert_int_equal(worker_await(&worker, LONG_TIME, &result), 0);
	snprintf(want, sizeof(want), "%d path slow", (int)slow);
	assert_int_equal(result.length, strlen(want));
	assert_memory_equal(result.text, want, result.length);
	/* It serves the next ones. */
	assert_int_equal(run(&worker, "echo", LONG_TIME, &result), 0);
	assert_int_equal(worker.pid, slow);
	worker_stop(&worker);
}

static void test_job_that_does_not_come_back(void **state unused)
{
	struct worker worker = new_worker();
	static struct job_result result;
	struct timespec before, after;
	pid_t stuck;

	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(run(&worker, "hang", 30000, &result), -EINPROGRESS);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000000000 +
			    (after.tv_nsec - before.tv_nsec) >=
		    30000000);
	stuck = worker.pid;
	worker_abandon(&worker);
	assert_int_equal(worker.pid, 0);
	/* The next job gets a process of its own. */
	assert_int_equal(run(&worker, "echo", LONG_TIME, &result), 0);
	assert_true(worker.pid != stuck);
	worker_stop(&worker);
	(void)waitpid(stuck, NULL, 0);
	assert_int_equal(kill(stuck, 0), -1);
}

static void test_worker_that_is_lost(void **state unused)
{
	static const char *const ways[] = {"die", "exit"};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct worker worker = new_worker();
		static struct job_result result;

		check_int(ways[i], run(&worker, ways[i], LONG_TIME, &result), -EPIPE);
		check_int(ways[i], worker.pid, 0);
		check_int(ways[i], run(&worker, "echo", LONG_TIME, &result), 0);
		worker_stop(&worker);
	}
}

/* It died while it was idle: noticed at the next job, and replaced at the one after. */
static void test_idle_worker_that_dies(void **state unused)
{
	struct worker worker = new_worker();
	static struct job_result result;
	int r;

	assert_int_equal(run(&worker, "echo", LONG_TIME, &result), 0);
	kill(worker.pid, SIGKILL);
	(void)waitpid(worker.pid, NULL, 0);
	r = run(&worker, "echo", LONG_TIME, &result);
	assert_int_equal(r, -EPIPE);
	assert_int_equal(run(&worker, "echo", LONG_TIME, &result), 0);
	worker_stop(&worker);
}

static void test_no_more_descriptors(void **state unused)
{
	struct worker worker = new_worker();
	struct jobs jobs = list_of("echo", NULL);
	int fds[4096], n = 0;

	while (n < 4096 && (fds[n] = dup(2)) >= 0)
		n++;
	if (n < 4096)
		assert_int_equal(worker_submit(&worker, &jobs), -EMFILE);
	assert_int_equal(worker.pid, 0);
	while (n > 0)
		close(fds[--n]);
}

/* How many jobs with "mark" have been done since. */
static int count_marks(void)
{
	char buf[64];
	ssize_t n = read(marks[0], buf, sizeof(buf));

	return n < 0 ? 0 : (int)n;
}

static void submit(struct worker *worker, struct jobs jobs)
{
	if (marks[0] == 0) {
		assert_int_equal(pipe(marks), 0);
		assert_int_equal(pipe(gates), 0);
		assert_int_equal(fcntl(marks[0], F_SETFL, O_NONBLOCK), 0);
	}
	assert_int_equal(worker_submit(worker, &jobs), 0);
}

static void test_list(void **state unused)
{
	struct worker worker = new_worker();
	struct jobs jobs = {0};
	static struct job_result result;
	int errors[JOBS_MAX];
	uint64_t since;

	submit(&worker, list_of("mark", "mark", "echo", NULL));
	assert_int_equal(worker_await(&worker, LONG_TIME, &result), 0);
	assert_non_null(strstr(result.text, "path echo"));
	assert_int_equal(worker_ended(&worker, errors, &since), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(errors[i], -EXDEV);
	assert_int_equal(count_marks(), 2);
	/* As many as there can be; one more is refused. */
	for (int i = 0; i < JOBS_MAX; i++) {
		struct job job = new_job("mark");

		assert_true(jobs_add(&jobs, &job));
		if (i + 1 == JOBS_MAX)
			assert_false(jobs_add(&jobs, &job));
	}
	submit(&worker, jobs);
	assert_int_equal(worker_await(&worker, LONG_TIME, &result), 0);
	assert_int_equal(worker_ended(&worker, errors, &since), JOBS_MAX);
	assert_int_equal(count_marks() + count_marks(), JOBS_MAX);
	worker_stop(&worker);
}

static void test_list_has_room(void **state unused)
{
	struct jobs jobs = {0};
	struct job job, got;
	size_t used = 0;

	job.kind = JOB_LOAD_MODULE;
	memset(job.path, 'p', sizeof(job.path));
	memset(job.value, 'v', sizeof(job.value));
	memset(job.ids, 'i', sizeof(job.ids));
	job.path[sizeof(job.path) - 1] = job.value[sizeof(job.value) - 1] =
		job.ids[sizeof(job.ids) - 1] = '\0';
	while (jobs_add(&jobs, &job))
		;
	assert_true(jobs.count > 1 && jobs.used <= sizeof(jobs.bytes));
	for (size_t i = 0; i < jobs.count; i++) {
		memset(&got, 0, sizeof(got));
		jobs_next(&jobs, &used, &got);
		assert_memory_equal(&got, &job, sizeof(job));
	}
	assert_int_equal(used, jobs.used);
}

/* What is behind a device that does not answer is not done. */
static void test_list_with_dead_device(void **state unused)
{
	struct job job = new_job("dead"), next = new_job("mark");
	struct worker worker = new_worker();
	static struct job_result result;
	struct jobs jobs = {0};
	int errors[JOBS_MAX];
	uint64_t since;

	for (int i = 0; i < 2; i++) {
		job.kind = i == 0 ? JOB_ASK_DEVICE : JOB_STORE;
		assert_true(jobs_add(&jobs, &job));
		assert_true(jobs_add(&jobs, &next));
	}
	submit(&worker, jobs);
	assert_int_equal(worker_await(&worker, LONG_TIME, &result), 0);
	assert_int_equal(worker_ended(&worker, errors, &since), 4);
	assert_int_equal(errors[0], -ENXIO);
	assert_int_equal(errors[1], -ECANCELED);
	assert_int_equal(errors[2], -ENXIO);
	assert_int_equal(errors[3], -EXDEV);
	assert_int_equal(count_marks(), 1);
	worker_stop(&worker);
}

/* Until the second job is under way, however busy the machine is. */
static void await_second(struct worker *worker)
{
	static struct job_result result;
	int errors[JOBS_MAX];
	uint64_t since;

	for (int i = 0; i < 2000; i++) {
		assert_int_equal(worker_await(worker, 10000, &result), -EINPROGRESS);
		if (worker_ended(worker, errors, &since) == 1 &&
		    atomic_load(&worker->board->begun) == 2)
			return;
	}
	fail_msg("the first job does not end");
}

/* Its jobs end with the one that is at hand; the next list begins anew. */
static void test_list_that_is_ended(void **state unused)
{
	struct worker worker = new_worker();
	static struct job_result result;
	int errors[JOBS_MAX];
	uint64_t since;

	submit(&worker, list_of("mark", "gate", "mark", NULL));
	await_second(&worker);
	assert_int_equal(worker_stop_list(&worker), 1);
	assert_int_equal(write(gates[1], "x", 1), 1);
	assert_int_equal(worker_await(&worker, LONG_TIME, &result), 0);
	assert_non_null(strstr(result.text, "path gate"));
	assert_int_equal(worker_ended(&worker, errors, &since), 2);
	assert_int_equal(count_marks(), 1);
	submit(&worker, list_of("mark", "mark", NULL));
	assert_int_equal(worker_await(&worker, LONG_TIME, &result), 0);
	assert_int_equal(worker_ended(&worker, errors, &since), 2);
	assert_int_equal(count_marks(), 2);
	/* Too late: all of it is done. */
	assert_int_equal(worker_stop_list(&worker), 1);
	worker_stop(&worker);
}

/* It is known how far it came. */
static void test_list_that_is_lost(void **state unused)
{
	struct worker worker = new_worker(), parked = {.fd = -1};
	static struct job_result result;
	int errors[JOBS_MAX];
	uint64_t since;

	submit(&worker, list_of("mark", "mark", "die", "mark", NULL));
	assert_int_equal(worker_await(&worker, LONG_TIME, &result), -EPIPE);
	assert_int_equal(worker_ended(&worker, errors, &since), 2);
	assert_int_equal(count_marks(), 2);
	/* A parked one has a board of its own. */
	submit(&worker, list_of("echo", "hang", "mark", NULL));
	await_second(&worker);
	assert_int_equal(worker_stop_list(&worker), 1);
	worker_move(&worker, &parked);
	submit(&worker, list_of("mark", "mark", "mark", NULL));
	assert_int_equal(worker_await(&worker, LONG_TIME, &result), 0);
	assert_int_equal(worker_ended(&worker, errors, &since), 3);
	assert_int_equal(worker_ended(&parked, errors, &since), 1);
	assert_int_equal(count_marks(), 3);
	worker_abandon(&parked);
	worker_stop(&worker);
}

/* A worker that has done all of its list, or part of it, and then says nothing. */
static struct {
	int answer; /* of waiting */
	size_t ended, at_hand;
	uint64_t now;
	unsigned waits, stops, abandons;
} silent;

static int silent_submit(struct world *world unused, const struct jobs *jobs unused)
{
	return 0;
}

static int silent_await(struct world *world unused, uint64_t until,
			struct job_result *ret unused)
{
	assert_true(++silent.waits < 10);
	silent.now = until > silent.now ? until : silent.now;
	return silent.answer;
}

static size_t silent_ended(struct world *world unused, int errors[static JOBS_MAX],
			   uint64_t *ret_since)
{
	for (size_t i = 0; i < silent.ended; i++)
		errors[i] = -(int)i;
	*ret_since = 0;
	return silent.ended;
}

static size_t silent_stop(struct world *world unused)
{
	silent.stops++;
	return silent.at_hand;
}

static void silent_abandon(struct world *world unused)
{
	silent.abandons++;
}

static uint64_t silent_now(struct world *world unused)
{
	return silent.now;
}

static void test_list_that_is_waited_for(void **state unused)
{
	static const struct world_ops ops = {
		.submit = silent_submit,
		.await = silent_await,
		.ended = silent_ended,
		.stop = silent_stop,
		.abandon = silent_abandon,
		.now = silent_now,
	};
	static const struct {
		const char *name;
		int answer;
		size_t ended, at_hand;
		int want;
		unsigned stops, abandons;
	} cases[] = {
		{"done", 0, 3, 2, 0, 0, 0},
		{"lost in the second", -EPIPE, 1, 1, -EPIPE, 0, 0},
		{"lost behind the last", -EPIPE, 3, 2, 0, 0, 0},
		{"slow in the second", -EINPROGRESS, 1, 1, -EINPROGRESS, 1, 0},
		/* It does not begin: nothing of it is under way. */
		{"slow to begin the second", -EINPROGRESS, 1, 0, 0, 1, 1},
		{"slow behind the last", -EINPROGRESS, 3, 2, 0, 1, 1},
	};
	struct jobs jobs = list_of("a", "b", "c", NULL);
	struct world world = {&ops};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct list_wait wait = {.until = 1000, .patience = {10, 20}};

		memset(&silent, 0, sizeof(silent));
		silent.answer = cases[i].answer;
		silent.ended = cases[i].ended;
		silent.at_hand = cases[i].at_hand;
		check_int(cases[i].name, world_run_list(&world, &jobs, &wait),
			  cases[i].want);
		check_int(cases[i].name, (int)wait.ended, (int)cases[i].ended);
		check_int(cases[i].name, (int)silent.stops, (int)cases[i].stops);
		check_int(cases[i].name, (int)silent.abandons, (int)cases[i].abandons);
		assert_true(silent.now <= 1000);
	}
}

static struct worker late;
static pid_t waker;

static int late_submit(struct world *world unused, const struct jobs *jobs)
{
	int r = worker_submit(&late, jobs);

	/* The machine has no time for it, for longer than the second job may take. */
	waker = fork();
	if (waker == 0) {
		usleep(1500000);
		kill(late.pid, SIGCONT);
		_exit(0);
	}
	return r;
}

static uint64_t late_now(struct world *world unused)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec / 1000;
}

static int late_await(struct world *world, uint64_t until, struct job_result *ret)
{
	uint64_t now = late_now(world);

	return worker_await(&late, until > now ? until - now : 0, ret);
}

static size_t late_ended(struct world *world unused, int errors[static JOBS_MAX],
			 uint64_t *ret_since)
{
	return worker_ended(&late, errors, ret_since);
}

static size_t late_stop(struct world *world unused)
{
	return worker_stop_list(&late);
}

/* What has not begun yet does not take long. */
static void test_list_that_begins_late(void **state unused)
{
	static const struct world_ops ops = {
		.submit = late_submit,
		.await = late_await,
		.ended = late_ended,
		.stop = late_stop,
		.now = late_now,
	};
	struct list_wait list = {.until = UINT64_MAX, .patience = {LONG_TIME, SECOND}};
	struct jobs jobs = list_of("mark", "mark", NULL);
	static struct job_result result;
	struct world world = {&ops};
	int status;

	late = new_worker();
	submit(&late, list_of("mark", NULL));
	assert_int_equal(worker_await(&late, LONG_TIME, &result), 0);
	assert_int_equal(count_marks(), 1);
	/* What is known of the list before is old by then. */
	atomic_store(&late.board->since, 0);
	assert_int_equal(kill(late.pid, SIGSTOP), 0);
	assert_int_equal(waitpid(late.pid, &status, WUNTRACED), late.pid);
	assert_int_equal(world_run_list(&world, &jobs, &list), 0);
	assert_int_equal(list.ended, 2);
	assert_int_equal(count_marks(), 2);
	worker_stop(&late);
	assert_int_equal(waitpid(waker, &status, 0), waker);
}

static void test_stopping_twice(void **state unused)
{
	struct worker worker = new_worker();

	worker_stop(&worker);
	worker_abandon(&worker);
	assert_int_equal(worker.pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_process_serves_all_jobs),
		cmocka_unit_test(test_results_of_any_length),
		cmocka_unit_test(test_job_that_takes_longer),
		cmocka_unit_test(test_job_that_others_overtake),
		cmocka_unit_test(test_job_that_does_not_come_back),
		cmocka_unit_test(test_worker_that_is_lost),
		cmocka_unit_test(test_idle_worker_that_dies),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_has_room),
		cmocka_unit_test(test_list_with_dead_device),
		cmocka_unit_test(test_list_that_is_ended),
		cmocka_unit_test(test_list_that_is_lost),
		cmocka_unit_test(test_list_that_is_waited_for),
		cmocka_unit_test(test_list_that_begins_late),
		cmocka_unit_test(test_no_more_descriptors),
		cmocka_unit_test(test_stopping_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
