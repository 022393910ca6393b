package io.easyfaas.common.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class HeaderBlockTest {
  @Test
  void anEntryIsItsNumberItsLengthAndItsValue() {
    byte[] block =
        new HeaderBlock()
            .add(HeaderBlock.Name.TRACE_STATE, "a=b")
            .add(HeaderBlock.Name.IDENTITY, "é")
            .encode();

    assertThat(HexFormat.of().formatHex(block)).isEqualTo("020003613d62" + "040002c3a9");
  }

  @Test
  void emptyValuesAreLeftOutAndNothingCostsNothing() {
    assertThat(new HeaderBlock().add(HeaderBlock.Name.IDENTITY, "").encode())
        .isSameAs(HeaderBlock.NONE);
  }

  @Test
  void aBlockHasABoundAndStaysAsItWas() {
    HeaderBlock block = new HeaderBlock();
    block.add(HeaderBlock.Name.CLIENT_CONTEXT, "x".repeat(HeaderBlock.MAX_BYTES - 3));

    assertThatThrownBy(() -> block.add(HeaderBlock.Name.IDENTITY, "y"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("header block: 16388 bytes with IDENTITY (expected: at most 16384)");
    assertThat(block.encode()).hasSize(HeaderBlock.MAX_BYTES);
  }
}
