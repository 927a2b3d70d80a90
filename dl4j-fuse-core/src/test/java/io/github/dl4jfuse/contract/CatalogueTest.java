package io.github.dl4jfuse.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.dl4jfuse.updater.GaussNewton;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.FixedSchedule;

/** The catalogue is whole, and the page is its own. */
class CatalogueTest {

    @Test
    void thePageHasALineForEachNetworkAndEachCompanion() throws IOException {
        List<String> lines = Files.readAllLines(Compatibility.PAGE);
        assertThat(Compatibility.entries())
                .as("entries without a line in docs/compatibility.md; write it anew: mvn test -pl dl4j-fuse-core -am"
                        + " -Pcontract -Dcontract.write=true")
                .allMatch(entry -> lines.stream().anyMatch(line -> line.startsWith(entry)));
        assertThat(lines.stream().filter(line -> line.startsWith("| ") && !line.startsWith("| ---")))
                .as("lines of the page without an entry in the catalogue")
                .allMatch(line -> line.startsWith("| network |")
                        || line.startsWith("| companion |")
                        || line.startsWith("| for example |")
                        || Gaps.all().stream().anyMatch(gap -> line.startsWith("| " + gap.example() + " |"))
                        || Compatibility.entries().stream().anyMatch(line::startsWith));
    }

    @Test
    void everyPairOfNetworkAndCompanionIsThere() {
        List<Case> all = Cases.all(7);
        for (Network network : Catalogue.all()) {
            for (Companion companion : Companions.all()) {
                boolean there = all.stream()
                        .anyMatch(subject -> subject.network() == network
                                && subject.companion().name().equals(companion.name()));
                boolean possible = network.forms().stream()
                        .anyMatch(form -> companion.suits(
                                new Case(network, Contestant.DEFAULT, companion, Contestant.Batches.MANY, form)));
                assertThat(there).as("%s with %s", network, companion.name()).isEqualTo(possible);
            }
        }
    }

    @Test
    void everyCaseIsFoundByItsName() {
        assertThat(Cases.all(3))
                .allMatch(subject -> Cases.named(subject.name()).name().equals(subject.name()));
        assertThat(Cases.sample(3).stream().map(Case::name))
                .isEqualTo(Cases.sample(3).stream().map(Case::name).toList());
    }

    @Test
    void everyLossFunctionIsThere() {
        assertThat(LossFunction.values())
                .allMatch(loss -> Catalogue.all().stream()
                        .anyMatch(network -> network.name()
                                .equals("loss-"
                                        + loss.name().toLowerCase(Locale.ROOT).replace('_', '-'))));
    }

    static Stream<Contestant> contestants() {
        return Contestant.ours().stream();
    }

    @ParameterizedTest
    @MethodSource("contestants")
    void copiesOfUpdatersAreIndependent(Contestant contestant) {
        IUpdater original = contestant.updater();
        IUpdater copy = original.clone();
        assertThat(copy).isEqualTo(original).isNotSameAs(original);
        if (original instanceof GaussNewton) {
            return; // immutable
        }
        double rate = original.getLearningRate(0, 0);
        copy.setLrAndSchedule(Double.NaN, new FixedSchedule(7 * rate)); // Lfso takes a schedule only
        assertThat(original.getLearningRate(0, 0)).isEqualTo(rate);
        assertThat(copy).isNotEqualTo(original);
    }
}
