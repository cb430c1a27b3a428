/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that does the jobs: real processes, real time. */
#include "test.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

#define LONG_TIME UINT64_C(20000000)

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
	if (strcmp(job->value, "full") == 0) {
		memset(ret->text, 'x', sizeof(ret->text));
		ret->length = sizeof(ret->text);
		return;
	}
	ret->error = -EXDEV;
	ret->is_viable = true;
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

static int run(struct worker *worker, const char *value, uint64_t timeout,
	       struct job_result *result)
{
	struct job job = new_job(value);
	int r = worker_submit(worker, &job);

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
		assert_true(result.is_viable);
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
	struct job job = new_job("echo");
	int fds[4096], n = 0;

	while (n < 4096 && (fds[n] = dup(2)) >= 0)
		n++;
	if (n < 4096)
		assert_int_equal(worker_submit(&worker, &job), -EMFILE);
	assert_int_equal(worker.pid, 0);
	while (n > 0)
		close(fds[--n]);
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
		cmocka_unit_test(test_no_more_descriptors),
		cmocka_unit_test(test_stopping_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
