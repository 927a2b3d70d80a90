package io.github.dl4jfuse.contract;

import io.github.dl4jfuse.contract.Contestant.Batches;
import io.github.dl4jfuse.contract.Result.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Writes docs/compatibility.md from the results of a full run. */
final class Compatibility {

    /** Relative to the module, where Surefire runs its tests. */
    static final Path PAGE = Path.of("..", "docs", "compatibility.md");

    private static final Path KEPT = Path.of("target", "contract");

    private static final String HEAD = """
            # What works with what

            Written by the contract, a test that trains every updater on every network below, and does with every network
            everything in the second table; do not edit by hand.

            ```sh
            mvn test -pl dl4j-fuse-core -am -Dtest=ContractTest                        # a sample, as in CI
            mvn test -pl dl4j-fuse-core -am -Pcontract                                 # all of it
            mvn test -pl dl4j-fuse-core -am -Pcontract -Dcontract.write=true           # and this page
            mvn test -pl dl4j-fuse-core -am -Dtest=ContractTest -Dcontract.case=dense/preconditioned/resume/one/graph-double
            ```

            A run prints the seed by which companions are paired with updaters and forms of the networks (layers or graph,
            float or double, with or without workspaces); `-Dcontract.seed=` draws others.

            """;

    private Compatibility() {}

    /** Returns a line for each network and companion, which the page and a test share. */
    static List<String> entries() {
        List<String> entries = new ArrayList<>();
        Catalogue.all().forEach(network -> entries.add("| " + network + " |"));
        Companions.all().forEach(companion -> entries.add("| " + companion.title() + " |"));
        return entries;
    }

    /** Keeps a result, so that a run in parts makes one page. */
    static void keep(Result result, int part) throws IOException {
        Files.createDirectories(KEPT);
        Files.writeString(
                file(part),
                result.toLine() + System.lineSeparator(),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /** Forgets the results of earlier runs of a part. */
    static void forget(int part) throws IOException {
        Files.deleteIfExists(file(part));
    }

    private static Path file(int part) {
        return KEPT.resolve("results-" + part + ".tsv");
    }

    /** Writes the page from all results since the last {@link #forget}, newer files last. */
    static void write() throws IOException {
        List<Path> files;
        try (Stream<Path> kept = Files.list(KEPT)) {
            files = kept.sorted(Comparator.comparing(file -> file.toFile().lastModified()))
                    .toList();
        }
        Map<String, Result> results = new LinkedHashMap<>();
        for (Path file : files) {
            for (String line : Files.readAllLines(file)) {
                Result.read(line)
                        .ifPresent(result -> results.put(result.subject().name(), result));
            }
        }
        Files.writeString(PAGE, page(results));
    }

    private static String page(Map<String, Result> byName) {
        List<Result> results = List.copyOf(byName.values());
        StringBuilder page = new StringBuilder(HEAD);
        networks(page, byName);
        companions(page, results);
        refusals(page, results);
        gaps(page, byName);
        return page.toString();
    }

    private static void networks(StringBuilder page, Map<String, Result> results) {
        page.append("## Networks\n\n")
                .append(String.format(
                        Locale.ROOT,
                        "The loss after %d steps by that of DL4J's Adam (rate 1e-3) after as many, without penalties, on"
                                + " batches of %d examples in turn; \"one\": after %d steps on one batch. The networks are"
                                + " tiny, so the figures say what works, not how much is gained. `Preconditioned`, the default, is the"
                                + " median of three seeds and may not exceed %.1f. A refusal is an exception at the first"
                                + " step, with a sentence (below).%n%n",
                        Training.STEPS,
                        Data.EXAMPLES,
                        Training.STEPS_ON_ONE,
                        Training.LIMIT));
        List<Contestant> columns =
                Contestant.ours().stream().filter(Contestant::hasListener).toList();
        for (Network.Group group : Network.Group.values()) {
            page.append("### ").append(group.title).append("\n\n| network |");
            columns.forEach(contestant -> {
                page.append(" `").append(contestant.title()).append("` |");
                if (contestant.stepsOnOneBatch()) {
                    page.append(" one |");
                }
            });
            page.append(" alone |\n|")
                    .append(" --- |".repeat(2 + columns.size() + oneBatch(columns)))
                    .append('\n');
            for (Network network : Catalogue.all()) {
                if (network.group() == group) {
                    row(page, network, columns, results);
                }
            }
            page.append('\n');
        }
        page.append(
                "alone: `Preconditioned`, `FusePv` and `Fuse` without their listener equal DL4J's Adam to the last bit,"
                        + " `Lfso` takes its first guess, and each says what it misses.\n\n");
    }

    private static int oneBatch(List<Contestant> columns) {
        return (int) columns.stream().filter(Contestant::stepsOnOneBatch).count();
    }

    private static void row(
            StringBuilder page, Network network, List<Contestant> columns, Map<String, Result> results) {
        page.append("| ").append(network).append(" |");
        for (Contestant contestant : columns) {
            cell(page, network, contestant, Batches.MANY, results);
            if (contestant.stepsOnOneBatch()) {
                cell(page, network, contestant, Batches.ONE, results);
            }
        }
        boolean alone = Contestant.ours().stream()
                .filter(contestant -> !contestant.hasListener())
                .map(contestant -> results.get(
                        Cases.training(network, contestant, Batches.MANY).name()))
                .allMatch(result -> result != null && result.kind() == Kind.WORKS);
        page.append(alone ? " works |\n" : " see below |\n");
    }

    private static void cell(
            StringBuilder page, Network network, Contestant contestant, Batches batches, Map<String, Result> results) {
        Result result = results.get(Cases.training(network, contestant, batches).name());
        page.append(' ');
        if (result == null) {
            page.append("not run");
        } else if (result.kind() == Kind.REFUSED) {
            page.append("refused");
        } else if (Double.isNaN(result.ratio())) {
            page.append(result.kind().word);
        } else {
            page.append(String.format(Locale.ROOT, "%.2f", result.ratio()));
        }
        page.append(" |");
    }

    private static void companions(StringBuilder page, List<Result> results) {
        page.append(
                "## Companions\n\nWith how many networks each was tried, the rest drawn. \"As Adam\": what is asked does"
                        + " not hold, and does not hold with DL4J's Adam either.\n\n");
        page.append("| companion | tried | works | as Adam | refused | misses the contract |\n");
        page.append("| --- | ---: | ---: | ---: | ---: | ---: |\n");
        for (Companion companion : Companions.all()) {
            List<Result> own = results.stream()
                    .filter(result -> result.subject().companion().name().equals(companion.name()))
                    .toList();
            page.append("| ").append(companion.title()).append(" | ").append(own.size());
            for (Kind kind : Kind.values()) {
                page.append(" | ")
                        .append(own.stream()
                                .filter(result -> result.kind() == kind)
                                .count());
            }
            page.append(" |\n");
        }
        page.append('\n');
    }

    private static void refusals(StringBuilder page, List<Result> results) {
        page.append("## What is refused, and why\n\n");
        Map<Network.Cause, List<Result>> byCause = new TreeMap<>();
        for (Result result : results) {
            if (result.kind() == Kind.REFUSED) {
                result.subject().network().causes().stream()
                        .filter(cause -> result.detail().contains(cause.words))
                        .forEach(cause -> byCause.computeIfAbsent(cause, key -> new ArrayList<>())
                                .add(result));
            }
        }
        byCause.forEach((cause, refused) -> {
            page.append("- ")
                    .append(names(
                            refused.stream().map(r -> r.subject().network().name())));
            page.append(" under ")
                    .append(names(
                            refused.stream().map(r -> r.subject().contestant().title())));
            page.append(": \"").append(refused.get(0).detail()).append("\"\n");
        });
        page.append('\n');
    }

    private static String names(Stream<String> names) {
        return names.distinct().map(name -> "`" + name + "`").collect(Collectors.joining(", "));
    }

    private static void gaps(StringBuilder page, Map<String, Result> results) {
        page.append("## What misses the contract today\n\n");
        if (Gaps.all().isEmpty()) {
            page.append("Nothing.\n");
            return;
        }
        page.append("| for example | found | cause |\n| --- | --- | --- |\n");
        for (Gaps.Gap gap : Gaps.all()) {
            Result result = results.get(gap.example());
            page.append("| ").append(gap.example()).append(" | ");
            page.append(result == null ? "not run" : result.detail()).append(" | ");
            page.append(gap.cause()).append(" |\n");
        }
    }
}
