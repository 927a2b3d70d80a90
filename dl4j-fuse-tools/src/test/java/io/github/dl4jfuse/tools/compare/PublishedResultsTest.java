package io.github.dl4jfuse.tools.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tables of docs and README are those of the runs that are kept there. */
class PublishedResultsTest {

    private static final Path ROOT = Path.of("..");
    private static final Path FOLDER = ROOT.resolve("docs/results");
    private static final String BEGIN = "<!-- made by compare --published docs/results -->\n";
    private static final String END = "<!-- end -->";

    @Test
    void theTablesAreMadeOfTheRuns() throws IOException {
        assertThat(Files.readString(FOLDER.resolve(PublishedResults.TABLES)))
                .as("make them again by: compare --published docs/results")
                .isEqualTo(new PublishedResults(FOLDER).tables());
    }

    @Test
    void theOverviewInReadmeIsMadeOfTheRuns() throws IOException {
        String readme = Files.readString(ROOT.resolve("README.md"));
        assertThat(readme).contains(BEGIN);
        String table = readme.substring(readme.indexOf(BEGIN) + BEGIN.length());
        assertThat(table.substring(0, table.indexOf(END)))
                .as("copy what this prints: compare --published docs/results")
                .isEqualTo(new PublishedResults(FOLDER).overview());
    }

    @Test
    void theFilesStaySmall() throws IOException {
        assertThat(Files.size(FOLDER.resolve(PublishedResults.RUNS))).isLessThan(5_000_000);
    }

    @Test
    void aFolderWithoutResultsIsNamed(@TempDir Path empty) {
        assertThatThrownBy(() -> new PublishedResults(empty)).hasMessageContaining("it has no results.jsonl.gz");
    }
}
