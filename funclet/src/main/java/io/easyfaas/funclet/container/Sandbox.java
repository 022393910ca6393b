package io.easyfaas.funclet.container;

import io.easyfaas.common.config.ByteSize;
import io.easyfaas.common.wire.ChannelAddress;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.funclet.cgroup.CgroupException;
import io.easyfaas.funclet.cgroup.CgroupLimits;
import io.easyfaas.funclet.cgroup.CgroupStats;
import io.easyfaas.funclet.cgroup.Cgroups;
import io.easyfaas.funclet.cgroup.SlotGroups;
import io.easyfaas.funclet.launch.LaunchReport;
import io.easyfaas.funclet.launch.Launcher;
import io.easyfaas.funclet.launch.LauncherCommand;
import io.easyfaas.funclet.mount.SandboxLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The sandbox of one slot: its keeper, its groups and what runs in it. Every method throws {@link
/// SandboxException} when it failed, unless it says otherwise.
///
/// Not thread-safe; owned by the thread that keeps the container busy. {@link #stats} and {@link
/// #oomKills} may be called by any thread.
final class Sandbox {
  private static final Logger LOG = LoggerFactory.getLogger(Sandbox.class);
  // The launcher gives a sandbox 10 s to die, see launcher.md "destroy"; a keeper that has said
  // nothing by then will not, and there must be time left to replace it.
  private static final Duration DESTROY_PATIENCE = Duration.ofSeconds(12);

  private final SandboxLayout layout;
  private final CgroupLimits baseLimits;
  private final Cgroups cgroups;
  private final Supplier<Launcher> launcher;
  private boolean mayHaveKeeper;

  /// @param launcher the one that runs now: it may be restarted in between
  Sandbox(
      SandboxLayout layout, CgroupLimits baseLimits, Cgroups cgroups, Supplier<Launcher> launcher) {
    this.layout = layout;
    this.baseLimits = baseLimits;
    this.cgroups = cgroups;
    this.launcher = launcher;
  }

  ContainerId id() {
    return layout.id();
  }

  CgroupLimits baseLimits() {
    return baseLimits;
  }

  /// Makes the keeper and the groups, unless they are there.
  void open(Deadline deadline) {
    if (mayHaveKeeper) {
      limit(baseLimits.memory());
      return;
    }
    SlotGroups groups = checked(() -> cgroups.create(slot(), baseLimits));
    LauncherCommand open = LauncherCommand.open(slot(), groups.joined(), groups.sandbox());
    Sent sent = send(launcher.get(), open);
    mayHaveKeeper = true; // Also when nobody knows whether it was opened.
    try {
      long _ = sent.await(deadline);
    } catch (SandboxException e) {
      mayHaveKeeper = e.isOfALostOne();
      throw e;
    }
  }

  /// Makes a sandbox, where there must be none, in a slot that is open.
  ///
  /// @return pid 1 of the sandbox, seen from the host
  long create(Deadline deadline) {
    return call(layout.create(), deadline);
  }

  /// Keeps the base limits, but lets everybody else have the processor first.
  void limitInBackground() {
    change(() -> cgroups.limit(slot(), baseLimits.inBackground()));
  }

  /// Pauses everything in it, and gives back what was made in advance for the next one.
  void freeze(Deadline deadline) {
    call(LauncherCommand.rest(slot()), deadline); // First: the pause may be the keeper's too.
    change(() -> cgroups.freeze(slot()));
  }

  /// Ends the pause.
  void thaw() {
    change(() -> cgroups.thaw(slot()));
  }

  /// Changes the memory limit, and gives it its share of the processor.
  void limit(ByteSize memory) {
    change(() -> cgroups.limit(slot(), baseLimits.withMemory(memory)));
  }

  /// Mounts a function's code.
  void mountCode(Path code, Deadline deadline) {
    call(layout.mountCode(code), deadline);
  }

  /// Mounts a language runtime and starts its runner. Both commands are sent at once: nobody here
  /// has to wake up between them.
  ///
  /// @param channel where the runner's ends are handed over
  /// @return the runner's process id, seen from the host
  long start(RunnerLaunch runner, ChannelAddress channel, Deadline deadline) {
    Launcher now = launcher.get();
    Sent mount = send(now, layout.mountRuntime(runner.runtime()));
    Sent exec = send(now, layout.exec(runner.command(), channel));
    mount.await(deadline);
    return exec.await(deadline);
  }

  /// Kills everything in the sandbox; after that nothing of it is left. Also right when there is
  /// none. If the keeper cannot do it, or says nothing, it is killed with all that is in its
  /// groups.
  void destroy(Deadline deadline) {
    if (mayHaveKeeper) {
      try {
        expedite();
        call(LauncherCommand.destroy(slot()), deadline.atMost(DESTROY_PATIENCE));
        return;
      } catch (SandboxException e) {
        LOG.warn("container={} {}. Its keeper is ended", id(), e.getMessage());
      }
    }
    removeGroups();
  }

  /// Destroys the sandbox, ends the keeper and removes the groups. Safe to call twice.
  void close(Deadline deadline) {
    if (mayHaveKeeper) {
      expedite();
      Deadline soon = deadline.atMost(DESTROY_PATIENCE);
      LaunchReport report = launcher.get().call(LauncherCommand.close(slot()), soon.remaining());
      if (!report.isDone()) {
        LOG.warn("container={} close: {}", id(), report.describe());
      }
    }
    removeGroups();
  }

  /// The keeper is in them.
  private void removeGroups() {
    change(() -> cgroups.remove(slot()));
    mayHaveKeeper = false;
  }

  /// A pause, or having to wait for the processor, would hold up its death and the next one's
  /// birth.
  private void expedite() {
    try {
      cgroups.expedite(slot());
    } catch (CgroupException e) {
      LOG.warn("container={} {}", id(), e.getMessage()); // It dies without, only later.
    }
  }

  CgroupStats stats() {
    return checked(() -> cgroups.stats(slot()));
  }

  long oomKills() {
    return checked(() -> cgroups.oomKills(slot()));
  }

  private String slot() {
    return layout.id().value();
  }

  private long call(LauncherCommand command, Deadline deadline) {
    return send(launcher.get(), command).await(deadline);
  }

  private static Sent send(Launcher launcher, LauncherCommand command) {
    return new Sent(command, launcher.send(command));
  }

  private record Sent(LauncherCommand command, Launcher.Pending answer) {
    long await(Deadline deadline) {
      return switch (answer.await(deadline.remaining())) {
        case LaunchReport.Done(long pid) -> pid;
        case LaunchReport.Refused refused ->
            throw new SandboxException(command + ": " + refused.describe());
        case LaunchReport.Lost lost ->
            throw SandboxException.ofALostOne(command + ": " + lost.describe());
      };
    }
  }

  private static void change(Runnable change) {
    checked(() -> {
      change.run();
      return true;
    });
  }

  private static <T> T checked(Supplier<T> change) {
    try {
      return change.get();
    } catch (CgroupException e) {
      throw new SandboxException(String.valueOf(e.getMessage()), e);
    }
  }
}
