package io.github.dl4jfuse.tools.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CpuTest {

    private static Cpu cpu(String flags) {
        return Cpu.parse("processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu sse2 " + flags + "\nprocessor\t: 1\n");
    }

    @Test
    void readsModelAndExtensions() {
        Cpu old = cpu("avx");
        assertThat(old.model()).isEqualTo("Some CPU");
        assertThat(old.hasAvx2()).isFalse();
        assertThat(old.openBlasCore()).isEmpty();
        Cpu usual = cpu("avx avx2");
        assertThat(usual.hasAvx512()).isFalse();
        assertThat(usual.openBlasCore()).contains("Haswell");
        Cpu wide = cpu("avx2 avx512f avx512dq avx512cd avx512bw avx512vl");
        assertThat(wide.openBlasCore()).contains("SkylakeX");
    }

    @Test
    void halfOfAvx512IsNotEnoughForItsKernels() {
        Cpu knightsLanding = cpu("avx2 avx512f avx512cd avx512er avx512pf");
        assertThat(knightsLanding.hasAvx512()).isFalse();
        assertThat(knightsLanding.canRun("-onednn-avx512")).isFalse();
        assertThat(knightsLanding.canRun("-onednn-avx2")).isTrue();
    }

    @Test
    void anUnknownProcessorRunsTheGenericLibraryAndIsLeftAlone() {
        Cpu unknown = Cpu.parse("nothing that we know");
        assertThat(unknown.model()).isEqualTo("unknown");
        assertThat(unknown.canRun("")).isTrue();
        assertThat(unknown.canRun("-onednn")).isTrue();
        assertThat(unknown.canRun("-avx2")).isFalse();
        assertThat(Setting.recommended(unknown).environment()).containsOnlyKeys(Setting.OPENMP_THREADS);
    }
}
