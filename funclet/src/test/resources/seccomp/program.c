/* What a static binary does of its own: threads, children, events, memory of System V. */
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(holds) ((holds) ? (void)0 : (perror(#holds), exit(1)))

static void *count(void *counter) { return ++*(int *)counter, NULL; }

int main(void) {
  int counter = 0;
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, count, &counter) == 0);
  CHECK(pthread_join(thread, NULL) == 0 && counter == 1);

  pid_t child;
  char *words[] = {"true", NULL};
  int status = -1;
  CHECK(posix_spawn(&child, "/bin/true", NULL, NULL, words, NULL) == 0);
  CHECK(waitpid(child, &status, 0) == child && status == 0);

  sigset_t all;
  CHECK(sigfillset(&all) == 0 && sigprocmask(SIG_BLOCK, &all, NULL) == 0);
  int poll = epoll_create1(EPOLL_CLOEXEC);
  int sources[] = {eventfd(1, 0), timerfd_create(CLOCK_MONOTONIC, 0), signalfd(-1, &all, 0)};
  struct itimerspec soon = {.it_value.tv_nsec = 1};
  CHECK(timerfd_settime(sources[1], 0, &soon, NULL) == 0 && raise(SIGUSR1) == 0);
  struct epoll_event event = {.events = EPOLLIN};
  for (int i = 0; i < 3; i++) {
    CHECK(epoll_ctl(poll, EPOLL_CTL_ADD, sources[i], &event) == 0);
    CHECK(epoll_wait(poll, &event, 1, 10000) == 1);
  }

  int memory = shmget(IPC_PRIVATE, 4096, 0600);
  CHECK(memory >= 0 && shmat(memory, NULL, 0) != (void *)-1);
  CHECK(shmctl(memory, IPC_RMID, NULL) == 0);
  int semaphore = semget(IPC_PRIVATE, 1, 0600);
  struct sembuf up = {.sem_op = 1};
  CHECK(semaphore >= 0 && semop(semaphore, &up, 1) == 0);
  CHECK(memfd_create("memory", MFD_CLOEXEC) >= 0);
  struct utsname name;
  CHECK(uname(&name) == 0);
  puts("fine");
  return 0;
}
