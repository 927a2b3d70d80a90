package io.github.dl4jfuse.tools.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.tools.machine.Cpu;
import io.github.dl4jfuse.tools.machine.Setting;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TuningTest {

    private static final Cpu AVX512 =
            new Cpu("a", Set.of("avx2", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"));

    private static Candidate candidate(String name, Setting setting) {
        return new Candidate(name, setting, Optional.empty());
    }

    @Test
    void theLineForOnesOwnProgramHasVariablesAndOptionsAndLeavesTheCollectorOn() {
        assertThat(Tuning.line(Setting.recommended(AVX512)))
                .isEqualTo("OMP_NUM_THREADS=1 OPENBLAS_CORETYPE=SkylakeX java"
                        + " -Dorg.bytedeco.javacpp.maxphysicalbytes=0 ..");
    }

    @Test
    void instructionsOfOneDnnAreTriedWhereThereIsAChoice() {
        assertThat(Tuning.variants(candidate("base", Setting.recommended(AVX512)), AVX512))
                .anyMatch(each -> "AVX2".equals(each.setting().environment().get(Setting.ONEDNN_INSTRUCTIONS)))
                .anyMatch(each -> each.setting().environment().containsKey(Setting.BLAS_THREADS));
        Cpu older = new Cpu("b", Set.of("avx2"));
        assertThat(Tuning.variants(candidate("base", Setting.recommended(older)), older))
                .noneMatch(each -> each.setting().environment().containsKey(Setting.ONEDNN_INSTRUCTIONS));
    }

    @Test
    void aSettingThatIsBetterForOneKindOfNetworkIsNamedForThatKind() {
        Setting recommended = Setting.recommended(AVX512);
        Candidate best = candidate("best", recommended);
        Candidate two = candidate("2 OpenMP threads", recommended.with(Setting.OPENMP_THREADS, "2"));
        Map<Candidate, Measurement> tried = new LinkedHashMap<>();
        tried.put(best, new Measurement(Map.of(), 1, 100, 100));
        tried.put(two, new Measurement(Map.of(), 1, 50, 150));
        assertThat(Tuning.forOneKind("networks of convolutions", best, tried, Measurement::cnn))
                .hasValueSatisfying(sentence ->
                        assertThat(sentence).contains("2 OpenMP threads was 1.50 times as fast", "OMP_NUM_THREADS=2"));
        assertThat(Tuning.forOneKind("dense networks", best, tried, Measurement::mlp))
                .isEmpty();
    }

    @Test
    void probesAreAttachedWhereASettingAccelerates() {
        Setting setting = new Setting(Map.of(), List.of("-Xmx1g"), true);
        Measurement measured = candidate("one", setting).measure(0.1).orElseThrow();
        assertThat(measured.facts().get("layers")).startsWith("layer0, layer1");
    }
}
