package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lines as crashes and editors leave them. */
class ResultsFileTest {

    private static final Fingerprint MADE_WITH = new Fingerprint("n", "d", "u");

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void place() {
        file = folder.resolve("results.jsonl");
    }

    private static RunRecord run(long seed, Fingerprint fingerprint) {
        Checkpoint start = new Checkpoint(0, 0, Map.of(StepKind.PLAIN, 3L), 1, Double.NaN, 1, 1, 1, Map.of());
        return new RunRecord(
                "w", false, "d", "c", "f", "s", seed, "3", 1, "c", "m", "", 1, 8, fingerprint, List.of(start));
    }

    private String lines(RunRecord... runs) throws IOException {
        ResultsFile results = new ResultsFile(file);
        List.of(runs).forEach(results::add);
        return Files.readString(file);
    }

    @Test
    void bothRunsOfALineAreKept() throws IOException {
        String content = lines(run(1, MADE_WITH), run(2, MADE_WITH), run(3, MADE_WITH));
        Files.writeString(file, content.replaceFirst("\n", ""));
        assertThat(new ResultsFile(file).runs()).extracting(RunRecord::seed).containsExactly(1L, 2L, 3L);
        assertThat(file).as("mended").hasContent(content);
    }

    @Test
    void ofALastLineOnlyWhatWasCutOffIsLost() throws IOException {
        String content = lines(run(1, MADE_WITH), run(2, MADE_WITH));
        Files.writeString(file, content.replaceFirst("\n", "").substring(0, content.length() - 20));
        assertThat(new ResultsFile(file).runs()).extracting(RunRecord::seed).containsExactly(1L);
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "{}", "7", "[]", "{\"workload\":\"w\"}", "{\"newer\":1}"})
    void whatIsNoRunIsRefusedAndStays(String line) throws IOException {
        String content = lines(run(1, MADE_WITH));
        for (String end : new String[] {"", "\n", "\n" + content}) {
            Files.writeString(file, content + line + end);
            assertThatThrownBy(() -> new ResultsFile(file)).hasMessageContaining("Line 2 of " + file + " is not a run");
            assertThat(file).hasContent(content + line + end);
        }
    }

    @Test
    void aRunCountsOnlyWithItsNetworkDataAndUpdater() throws IOException {
        lines(run(1, MADE_WITH), run(2, null));
        ResultsFile results = new ResultsFile(file);
        RunRecord.Key first = run(1, null).key();
        assertThat(results.find(first, () -> MADE_WITH)).isPresent();
        for (Fingerprint other : List.of(
                new Fingerprint("x", "d", "u"), new Fingerprint("n", "x", "u"), new Fingerprint("n", "d", "x"))) {
            assertThat(results.find(first, () -> other)).as("%s", other).isEmpty();
        }
        assertThat(results.find(run(2, null).key(), () -> MADE_WITH))
                .as("a line that does not say")
                .isEmpty();
        assertThat(new Fingerprint("x", "d", "x").differenceTo(MADE_WITH))
                .isEqualTo("another network and another updater");
    }
}
