package io.github.dl4jfuse.benchmarks;

import io.github.dl4jfuse.faults.Campaign;
import io.github.dl4jfuse.tools.machine.Launcher;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs a {@link Campaign} in one process for each core. Native code that crashes ends the case that it was at, which counts as
 * a failure, and not the campaign.
 */
final class FaultCampaign {

    private static final String MARK = "case\t";
    private static final int CASES_OF_A_PROCESS = 250;
    private static final int CASES_OF_A_LINE = 100;

    private final PrintStream out;
    private final long first;
    private final int cases;
    private final long start = System.nanoTime();
    private final Map<String, Integer> verdicts = new TreeMap<>();
    private final Map<String, Integer> failures = new TreeMap<>();
    private long next;
    private int done;
    private int failed;

    FaultCampaign(PrintStream out, long first, int cases) {
        this.out = out;
        this.first = first;
        this.cases = cases;
        next = first;
    }

    /** Runs cases in this process, and prints them for {@link #read}. */
    static void runHere(PrintStream out, long first, int cases) {
        Campaign.run(first, cases, outcome -> {
            String text = outcome.toString().replaceAll("\\s+", " ");
            out.println(
                    MARK + String.join("\t", outcome.verdict().name(), "" + outcome.failed(), outcome.kind(), text));
            out.flush();
        });
    }

    /** Runs all cases, prints failures as they happen and tables at the end, and returns how many failed or were not run. */
    int run() throws InterruptedException {
        out.printf("Seeds %d to %d%n", first, first + cases - 1);
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
            Thread worker = new Thread(this::work);
            worker.start();
            workers.add(worker);
        }
        for (Thread worker : workers) {
            worker.join();
        }
        out.print(table("| verdict | cases |\n| --- | ---: |\n", verdicts));
        if (failed > 0) {
            out.print(table(
                    "\n| failure | updater | fault | event | cases |\n| --- | --- | --- | --- | ---: |\n", failures));
        }
        if (done < cases) {
            out.printf("%d cases were not run.%n", cases - done);
        }
        return failed + cases - done;
    }

    private static String table(String head, Map<String, Integer> counts) {
        StringBuilder text = new StringBuilder(head);
        counts.forEach((what, count) -> text.append(String.format(Locale.ROOT, "| %s | %,d |%n", what, count)));
        return text.toString();
    }

    private void work() {
        for (long from = take(); from < first + cases; from = take()) {
            long to = Math.min(first + cases, from + CASES_OF_A_PROCESS);
            while (from < to) {
                from = read(from, (int) (to - from));
            }
        }
    }

    private synchronized long take() {
        long taken = next;
        next += CASES_OF_A_PROCESS;
        return taken;
    }

    /** Runs a process, and returns the first seed that it has not come to. */
    private long read(long from, int count) {
        List<String> options =
                List.of("-Xmx2g", "-Xmn400m", "-XX:+UseSerialGC", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0");
        ProcessBuilder builder = new ProcessBuilder(Launcher.command(
                options, Launcher.classPath(), Benchmarks.class, "faults-here", "" + count, "" + from));
        builder.environment().put("OMP_NUM_THREADS", "1");
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        long seed = from;
        try {
            Process process = builder.start();
            try (BufferedReader lines = process.inputReader()) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.startsWith(MARK)) {
                        String[] parts = line.substring(MARK.length()).split("\t", 4);
                        note(parts[0], Boolean.parseBoolean(parts[1]), parts[2], parts[3]);
                        seed++;
                    }
                }
            }
            int code = process.waitFor();
            if (seed < from + count) {
                note("CRASHES", true, "any | any | any", "seed " + seed + ": the process ended with code " + code);
                seed++;
            }
        } catch (IOException e) {
            throw new IllegalStateException("No process could be started: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return from + count;
        }
        return seed;
    }

    private synchronized void note(String verdict, boolean failure, String kind, String text) {
        verdicts.merge(verdict, 1, Integer::sum);
        if (failure) {
            failed++;
            failures.merge(verdict + " | " + kind, 1, Integer::sum);
            out.println(text);
        }
        if (++done % CASES_OF_A_LINE == 0) {
            Duration gone = Duration.ofNanos(System.nanoTime() - start);
            out.printf(
                    Locale.ROOT,
                    "%,d of %,d cases, %d failed, %d min, %d min to go%n",
                    done,
                    cases,
                    failed,
                    gone.toMinutes(),
                    gone.multipliedBy(cases - done).dividedBy(done).toMinutes());
        }
    }
}
