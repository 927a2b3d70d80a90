package io.github.dl4jfuse.contract;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every updater beside every network and every companion: a sample, or all with {@code -Pcontract}.
 *
 * <ul>
 *   <li>{@code -Dcontract.seed=2} draws other cases,
 *   <li>{@code -Dcontract.case=dense/preconditioned/resume/one/graph-double} runs one; a regular expression picks from all,
 *   <li>{@code -Dcontract.attached=true} runs them with layers of ours, see {@code Acceleration.attach},
 *   <li>{@code -Dcontract.write=true} writes docs/compatibility.md from this run, and from those before it since the last full
 *       one.
 * </ul>
 */
class ContractTest {

    private static final long DEFAULT_SEED = 1;

    /** A full run is as many processes side by side. */
    private static final int PARTS = Integer.getInteger("contract.parts", 1);

    private static final String ONE = "[\\w-]+(/[\\w-]+){4}";

    @TestFactory
    Stream<DynamicTest> contract() throws IOException {
        long seed = Long.getLong("contract.seed", DEFAULT_SEED);
        String name = System.getProperty("contract.case", "");
        List<Case> cases;
        if (name.matches(ONE)) {
            cases = List.of(Cases.named(name));
        } else if (!name.isEmpty()) {
            cases = Cases.all(seed).stream()
                    .filter(subject -> subject.name().matches(name))
                    .toList();
        } else if (Boolean.getBoolean("contract.full")) {
            cases = Cases.part(Cases.all(seed), part(), PARTS);
            Compatibility.forget(part());
        } else {
            cases = Cases.sample(seed);
        }
        System.out.println("Contract: " + cases.size() + " cases, -Dcontract.seed=" + seed);
        return cases.stream().map(subject -> dynamicTest(subject.name(), () -> check(subject)));
    }

    /** Which part of a full run this is. */
    int part() {
        return 1;
    }

    private void check(Case subject) throws IOException {
        Result result = Result.of(subject);
        Compatibility.keep(result, part());
        Optional<Gaps.Gap> gap = Gaps.of(subject);
        if (result.kind() == Result.Kind.BROKEN) {
            if (gap.isEmpty()) {
                fail(result.detail() + System.lineSeparator()
                        + "Again: mvn test -pl dl4j-fuse-core -am -Dtest=ContractTest -Dcontract.case="
                        + subject.name());
            }
            if (gap.get().hasGrown(result)) {
                fail("The gap has grown from " + gap.get().ratio() + ": " + result.detail());
            }
        } else if (gap.isPresent() && gap.get().isExample(subject)) {
            fail(subject.name() + " keeps the contract now: take it off the list in Gaps ("
                    + gap.get().cause() + ").");
        }
    }

    @AfterAll
    static void write() throws IOException {
        if (Boolean.getBoolean("contract.write")) {
            Compatibility.write();
        }
    }
}
