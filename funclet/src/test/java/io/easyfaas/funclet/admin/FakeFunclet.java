package io.easyfaas.funclet.admin;

import io.easyfaas.common.wire.ApiException;
import io.easyfaas.common.wire.ContainerId;
import io.easyfaas.common.wire.ContainerInfo;
import io.easyfaas.common.wire.ErrorCode;
import io.easyfaas.common.wire.FreezeRequest;
import io.easyfaas.common.wire.FuncletApi;
import io.easyfaas.common.wire.FuncletNode;
import io.easyfaas.common.wire.PrewarmRequest;
import io.easyfaas.common.wire.ResetRequest;
import io.easyfaas.common.wire.ResetResponse;
import io.easyfaas.common.wire.Resource;
import io.easyfaas.common.wire.RunnerExit;
import io.easyfaas.common.wire.WarmupRequest;
import io.easyfaas.common.wire.WarmupResponse;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/// Two containers, c0 and c1, of which c1 cannot be reset. Warming up blocks until released.
final class FakeFunclet implements FuncletApi {
  final List<ResetRequest> resets = new CopyOnWriteArrayList<>();
  final List<ContainerId> frozen = new CopyOnWriteArrayList<>();
  final CountDownLatch released = new CountDownLatch(1);
  volatile boolean canResetAll;

  @Override
  public FuncletNode node() {
    return new FuncletNode(
        new FuncletNode.FuncletResource(
            1, new Resource(2, 3), Resource.ZERO, Resource.ZERO, Resource.ZERO, Resource.ZERO),
        null);
  }

  @Override
  public List<ContainerInfo> list() {
    return List.of(info("c0"), info("c1"));
  }

  @Override
  public ContainerInfo container(ContainerId id) {
    throw new ApiException(ErrorCode.RESOURCE_NOT_FOUND, "container " + id + " not found");
  }

  @Override
  public WarmupResponse warmup(WarmupRequest request) {
    try {
      released.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    return new WarmupResponse(info(request.containerID().value()));
  }

  @Override
  public WarmupResponse prewarm(PrewarmRequest request) {
    return new WarmupResponse(info(request.containerID().value()));
  }

  @Override
  public void freeze(FreezeRequest request) {
    frozen.add(request.containerID());
  }

  @Override
  public void thaw(FreezeRequest request) {
    frozen.remove(request.containerID());
  }

  @Override
  public ResetResponse cooldown(ResetRequest request) {
    resets.add(request);
    return new ResetResponse(
        info(request.containerID().value()), new RunnerExit(137, 9, true), false);
  }

  @Override
  public ResetResponse reborn(ResetRequest request) {
    if (request.containerID().value().equals("c1") && !canResetAll) {
      throw new ApiException(ErrorCode.RESOURCE_CONFLICT, "container c1 is busy");
    }
    return cooldown(request);
  }

  private static ContainerInfo info(String id) {
    return new ContainerInfo(id, new ContainerId(id), 7, 1, "cold", "", false, null, null, "");
  }
}
