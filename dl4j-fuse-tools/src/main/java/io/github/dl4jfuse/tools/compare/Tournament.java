package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Runner.Reading;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All runs on one workload. First the tuned families are thinned out by successive halving (Jamieson, Talwalkar 2016): all
 * trials run with a seed that only tunes and a small part of the budget, the best third by validation with {@value #FACTOR}
 * times as much, and so on up to the whole; the best of the last ones stands for its family. Each short run has a
 * whole schedule of its own. Then all contestants run with all seeds at each of {@link #SHARES}, again each with its own
 * whole schedule. At last the cost of their steps is clocked side by side.
 */
final class Tournament {

    /** The parts of the budget that every contestant runs. */
    static final List<Double> SHARES = List.of(1.0, 0.5, 0.25, 0.125);

    /** One in so many settings survives a round of tuning. */
    static final int FACTOR = 3;

    private static final Logger log = LoggerFactory.getLogger(Tournament.class);

    private final Workload workload;
    private final Plan plan;
    private final ResultsFile results;
    private final String commit;
    private final String machine;
    private final Consumer<String> progress;
    private final List<RunRecord> asked = new ArrayList<>();
    private final Map<String, StepCosts> costs = new LinkedHashMap<>();
    private final Set<String> warm = new HashSet<>();
    private Workload.Split data;
    private String networkPrint;
    private String dataPrint;

    /**
     * What is asked for.
     *
     * @param families who takes part, in order
     * @param trials how many settings of each tuned family are tried
     * @param seeds number of seeds
     * @param shares parts of the budget
     * @param budget what the longest run may use
     * @param full whether on the whole data set
     * @param workers runs at the same time, each on a thread of its own
     * @param clock whether the costs of steps are measured apart
     * @param peer who trains the contestants of its family; null where it does not take part
     */
    record Plan(
            List<Family> families,
            int trials,
            int seeds,
            List<Double> shares,
            Budget budget,
            boolean full,
            int workers,
            boolean clock,
            Peer peer) {

        /** Returns the number of runs. */
        long runs() {
            return families.stream()
                    .mapToLong(family -> {
                        long tuning = 0;
                        for (int left = family.trials(trials).size();
                                family.tuned() && left > 1;
                                left = thinned(left)) {
                            tuning += left;
                        }
                        return tuning + finalists(family) * seeds * shares.size();
                    })
                    .sum();
        }

        /** Returns how many runs of the whole budget would take as long as all together. */
        double wholeRuns(double tuningShare) {
            double parts = shares.stream().mapToDouble(Double::doubleValue).sum();
            double all = 0;
            for (Family family : families) {
                double share = firstShare();
                for (int left = family.trials(trials).size(); family.tuned() && left > 1; left = thinned(left)) {
                    all += left * share * tuningShare;
                    share = Math.min(1, share * FACTOR);
                }
                all += finalists(family) * seeds * parts;
            }
            return all;
        }

        private static long finalists(Family family) {
            return family.tuned() ? 1 : family.members().size();
        }

        /** Returns the part of the budget with which the first round of the tuning runs. */
        double firstShare() {
            double share = 1;
            for (int left = trials; left > FACTOR; left = thinned(left)) {
                share /= FACTOR;
            }
            return share;
        }
    }

    private static int thinned(int members) {
        return (members + FACTOR - 1) / FACTOR;
    }

    /** A run that is due. */
    private record Due(Contestant contestant, long seed, double share, Reading reading) {}

    Tournament(
            Workload workload,
            Plan plan,
            ResultsFile results,
            String commit,
            String machine,
            Consumer<String> progress) {
        this.workload = workload;
        this.plan = plan;
        this.results = results;
        this.commit = commit;
        this.machine = machine;
        this.progress = progress;
    }

    /** Does what is missing. */
    void compete() {
        List<Contestant> finalists = finalists();
        List<Due> due = new ArrayList<>();
        for (long seed = 1; seed <= plan.seeds(); seed++) {
            for (double share : plan.shares()) {
                for (Contestant contestant : finalists) {
                    due.add(new Due(contestant, seed, share, Reading.EVERYTHING));
                }
            }
        }
        run(due);
        if (plan.clock()) {
            clock(finalists);
        }
    }

    /** Returns the runs that were asked for. */
    List<RunRecord> runs() {
        return List.copyOf(asked);
    }

    /** Returns the costs of the steps, by contestant. */
    List<StepCosts> costs() {
        return List.copyOf(costs.values());
    }

    private List<Contestant> finalists() {
        Map<Family, List<Contestant>> left = new LinkedHashMap<>();
        plan.families().forEach(family -> left.put(family, family.trials(plan.trials())));
        double share = plan.firstShare();
        while (left.entrySet().stream()
                .anyMatch(entry -> entry.getKey().tuned() && entry.getValue().size() > 1)) {
            thinOut(left, share * workload.tuningShare());
            share = Math.min(1, share * FACTOR);
        }
        return left.values().stream().flatMap(List::stream).toList();
    }

    private void thinOut(Map<Family, List<Contestant>> left, double share) {
        List<Due> due = new ArrayList<>();
        int most = left.entrySet().stream()
                .filter(entry -> entry.getKey().tuned())
                .mapToInt(entry -> entry.getValue().size())
                .max()
                .orElse(0);
        for (int i = 0; i < most; i++) { // in turns, so that nobody's trials all come when the machine is slow
            for (Map.Entry<Family, List<Contestant>> entry : left.entrySet()) {
                if (entry.getKey().tuned() && i < entry.getValue().size()) {
                    due.add(new Due(entry.getValue().get(i), RunRecord.TUNING_SEED, share, Reading.VALIDATION));
                }
            }
        }
        Map<String, RunRecord> done = new LinkedHashMap<>();
        run(due).forEach(run -> done.put(run.contestant(), run));
        left.replaceAll((family, members) -> family.tuned() && members.size() > 1
                ? members.stream()
                        .sorted(Comparator.comparingDouble(
                                member -> -done.get(member.name()).validation()))
                        .limit(thinned(members.size()))
                        .toList()
                : members);
    }

    /** Runs what is missing in the results file, on the workers, and returns all in the order asked for. */
    private List<RunRecord> run(List<Due> due) {
        ExecutorService workers = Executors.newFixedThreadPool(plan.workers());
        try {
            List<Future<RunRecord>> futures =
                    due.stream().map(one -> workers.submit(() -> run(one))).toList();
            List<RunRecord> runs = new ArrayList<>();
            for (Future<RunRecord> future : futures) {
                runs.add(future.get());
            }
            asked.addAll(runs);
            return runs;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The comparison was interrupted; finished runs are kept.", e);
        } catch (ExecutionException e) {
            await(workers);
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } finally {
            workers.shutdownNow();
        }
    }

    /** What still runs would otherwise be done twice, if the comparison goes on without the one that failed. */
    private static void await(ExecutorService workers) {
        workers.shutdownNow();
        try {
            workers.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private RunRecord run(Due due) {
        Budget budget = plan.budget().part(due.share());
        RunRecord.Key key = new RunRecord.Key(
                workload.name(), plan.full(), due.contestant().name(), due.seed(), budget.toString(), due.share());
        RunRecord run =
                results.find(key, () -> fingerprint(due.contestant(), budget)).orElse(null);
        if (run == null) {
            run = record(due, budget);
            results.add(run);
        }
        progress.accept(workload.name() + " " + due.contestant().family());
        return run;
    }

    /** Reads the data when the first run needs them. */
    private synchronized void prepare() {
        if (data == null) {
            data = workload.data(plan.full());
            networkPrint = Fingerprint.of(workload);
            dataPrint = Fingerprint.of(workload, data);
        }
    }

    private Fingerprint fingerprint(Contestant contestant, Budget budget) {
        prepare();
        if (Peer.trains(contestant)) {
            return new Fingerprint(networkPrint, dataPrint, plan.peer().fingerprint(contestant));
        }
        String updater;
        try {
            Equipment equipment = new Runner(workload, data, budget, Reading.VALIDATION).equipment(contestant);
            updater = Fingerprint.of(workload, contestant, equipment);
        } catch (RuntimeException | Error e) {
            updater = "fails"; // as its run will
        }
        return new Fingerprint(networkPrint, dataPrint, updater);
    }

    private RunRecord record(Due due, Budget budget) {
        prepare();
        Contestant contestant = due.contestant();
        if (Peer.trains(contestant)) {
            Peer.Answer answer = plan.peer().run(workload, data, contestant, due.seed(), budget, due.reading());
            return record(due, budget, answer.course(), answer.machine());
        }
        if (workload.timed() && !plan.clock() && isFirst(contestant.family())) {
            new Runner(workload, data, budget, due.reading()).warmUp(contestant, due.seed());
        }
        Runner runner = new Runner(workload, data, budget, due.reading());
        Runner.Course course;
        try {
            course = runner.run(contestant, due.seed());
        } catch (RuntimeException | Error e) {
            log.warn("{} failed before its first step.", contestant.name(), e);
            course = runner.failed(contestant, e);
        }
        return record(due, budget, course, machine);
    }

    private RunRecord record(Due due, Budget budget, Runner.Course course, String where) {
        return new RunRecord(
                workload.name(),
                plan.full(),
                workload.description() + ". " + data.inWords(),
                due.contestant().name(),
                due.contestant().family(),
                course.settings(),
                due.seed(),
                budget.toString(),
                due.share(),
                commit,
                where,
                course.failure(),
                course.steps(),
                course.extraBytes(),
                new Fingerprint(networkPrint, dataPrint, course.updater()),
                course.checkpoints());
    }

    private synchronized boolean isFirst(String family) {
        return warm.add(family);
    }

    /** Clocks all contestants in one go where one is missing: costs of different calls are not comparable. */
    private void clock(List<Contestant> contestants) {
        Map<String, Fingerprint> made = new LinkedHashMap<>();
        contestants.forEach(one -> made.put(one.name(), fingerprint(one, plan.budget())));
        results.costs(workload.name(), plan.full()).stream()
                .filter(one -> one.fingerprint() != null && one.fingerprint().equals(made.get(one.contestant())))
                .forEach(one -> costs.put(one.contestant(), one));
        if (costs.keySet().containsAll(made.keySet())) {
            return;
        }
        costs.clear();
        Budget whole = plan.budget();
        Map<String, StepCosts> measured =
                new CostMeter(workload, data, whole, plan.peer()).measure(contestants, commit, machine, plan.full());
        measured.replaceAll((name, one) -> one.madeWith(made.get(name)));
        CostMeter shortest = new CostMeter(workload, data, whole.part(SHARES.get(SHARES.size() - 1)), plan.peer());
        costs.putAll(shortest.check(contestants, measured));
        results.keepCosts(workload.name(), plan.full(), costs());
    }
}
