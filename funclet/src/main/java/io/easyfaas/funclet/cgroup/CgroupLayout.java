package io.easyfaas.funclet.cgroup;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// Where the control groups of this process are, read from the kernel's own description.
///
/// A host whose memory controller is on version 1 counts as version 1, even if a version 2 tree is
/// mounted beside it (hybrid): a controller is in one hierarchy only. See cgroups(7).
sealed interface CgroupLayout {
  /// Version 1.
  ///
  /// @param groups controller to the directory of the group this process is in, for those of {@link
  ///   #V1_CONTROLLERS} and what freezes: {@link #UNIFIED} if it is mounted too, else {@link
  ///   #FREEZER}
  /// @param mountPoints controller to the top of its hierarchy
  record V1(Map<String, Path> groups, Map<String, Path> mountPoints) implements CgroupLayout {
    /// Copies the maps; the groups keep their order.
    public V1 {
      groups = Collections.unmodifiableMap(new LinkedHashMap<>(groups));
      mountPoints = Map.copyOf(mountPoints);
    }
  }

  /// Version 2.
  ///
  /// @param group the directory of the group this process is in
  /// @param mountPoint the top of the hierarchy
  record V2(Path group, Path mountPoint) implements CgroupLayout {}

  /// The controllers that limit and count a slot on version 1.
  List<String> V1_CONTROLLERS = List.of("memory", "cpu", "cpuacct", "pids");

  /// The controller that freezes a slot on version 1.
  String FREEZER = "freezer";

  /// Stands for the version 2 hierarchy among the controllers, as in `/proc/self/cgroup`.
  String UNIFIED = "";

  /// Finds the groups. Pure.
  ///
  /// @param mountinfo text of `/proc/self/mountinfo`
  /// @param ownGroups text of `/proc/self/cgroup`
  /// @param root only hierarchies mounted at or below it count, usually `/sys/fs/cgroup`
  /// @throws CgroupException when a controller is not mounted
  static CgroupLayout discover(String mountinfo, String ownGroups, Path root) {
    List<Mount> mounts = Mount.parse(mountinfo, root);
    Map<String, String> own = ownGroups(ownGroups);
    Optional<Mount> unified = mounts.stream().filter(Mount::isV2).findFirst();
    if (mounts.stream().noneMatch(mount -> mount.has("memory"))) {
      Mount mount =
          unified.orElseThrow(() ->
              new CgroupException(
                  "control groups: none with a memory controller are mounted below "
                      + root
                      + ". Hint: mount -t cgroup2 none /sys/fs/cgroup",
                  null));
      return new V2(mount.group(own.getOrDefault(UNIFIED, "/")), mount.mountPoint());
    }
    Map<String, Path> groups = new LinkedHashMap<>();
    Map<String, Path> mountPoints = new LinkedHashMap<>();
    TreeSet<String> missing = new TreeSet<>();
    List<String> needed = new ArrayList<>(V1_CONTROLLERS);
    needed.add(unified.isPresent() ? UNIFIED : FREEZER);
    for (String controller : needed) {
      mounts.stream()
          .filter(mount -> controller.equals(UNIFIED) ? mount.isV2() : mount.has(controller))
          .findFirst()
          .ifPresentOrElse(
              mount -> {
                groups.put(controller, mount.group(own.getOrDefault(controller, "/")));
                mountPoints.put(controller, mount.mountPoint());
              },
              () -> missing.add(controller));
    }
    if (!missing.isEmpty()) {
      throw new CgroupException(
          "control groups: version 1 without " + missing + " below " + root, null);
    }
    return new V1(groups, mountPoints);
  }

  /// Controller to path.
  private static Map<String, String> ownGroups(String text) {
    Map<String, String> paths = new LinkedHashMap<>();
    text.lines()
        .map(line -> line.split(":", 3))
        .filter(fields -> fields.length == 3)
        .forEach(fields -> {
          for (String controller : fields[1].split(",", -1)) {
            paths.put(controller, fields[2]);
          }
        });
    return paths;
  }

  /// One mounted hierarchy.
  ///
  /// @param root the group that is the top of the mount, as the hierarchy names it
  /// @param mountPoint where it is mounted
  /// @param isV2 whether it is the unified one
  /// @param options controllers among other things
  record Mount(String root, Path mountPoint, boolean isV2, List<String> options) {
    /// Copies the options.
    public Mount {
      options = List.copyOf(options);
    }

    static List<Mount> parse(String mountinfo, Path below) {
      List<Mount> mounts = new ArrayList<>();
      for (String line : mountinfo.lines().toList()) {
        String[] halves = line.split(" - ", 2);
        String[] left = halves[0].split(" ");
        String[] right = halves.length == 2 ? halves[1].split(" ") : new String[0];
        if (left.length < 5 || right.length < 3 || !right[0].startsWith("cgroup")) {
          continue;
        }
        Path mountPoint = Path.of(unescape(left[4]));
        if (mountPoint.startsWith(below)) {
          mounts.add(
              new Mount(
                  unescape(left[3]),
                  mountPoint,
                  right[0].equals("cgroup2"),
                  List.of(right[2].split(","))));
        }
      }
      return mounts;
    }

    boolean has(String controller) {
      return !isV2 && options.contains(controller);
    }

    /// The directory of a group. A group outside of what is mounted here, as inside a container
    /// that sees the host's names, is the top of the mount.
    Path group(String path) {
      String top = root.equals("/") ? "" : root;
      if (path.contains("/..") || !(path + "/").startsWith(top + "/")) {
        return mountPoint;
      }
      String below = path.substring(top.length());
      return mountPoint.resolve(below.startsWith("/") ? below.substring(1) : below).normalize();
    }

    /// Blanks and backslashes are written in octal, see proc_pid_mountinfo(5).
    private static String unescape(String text) {
      return text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
    }
  }
}
