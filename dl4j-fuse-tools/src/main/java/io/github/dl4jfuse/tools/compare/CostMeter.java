package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Runner.Reading;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Clocks the steps of several contestants side by side: each trains a network of its own, in short blocks that take turns, so
 * that whatever the machine does hits all alike. Nothing else should run meanwhile.
 */
final class CostMeter {

    private static final int ROUNDS = 12;

    private static final int WARM_UP_ROUNDS = 2;

    private static final int FEWEST_STEPS = 10;

    private static final double BLOCK_SECONDS = 0.3;

    /** How often all are run on the clock. */
    static final int CHECKS = 3;

    private static final long SEED = 1;

    private final Workload workload;
    private final Workload.Split data;
    private final Budget budget;
    private final Peer peer;

    /** A meter; the peer clocks its own steps, and is null where it does not take part. */
    CostMeter(Workload workload, Workload.Split data, Budget budget, Peer peer) {
        this.workload = workload;
        this.data = data;
        this.budget = budget;
        this.peer = peer;
    }

    /** Takes a block of steps, and returns the sums of their seconds and their number by kind. */
    private interface Trainee {

        Map<StepKind, double[]> block();
    }

    /** One contestant in training, and the times of its steps. */
    private final class Clocked {

        private final Trainee trainee;
        private final Map<StepKind, List<Double>> blocks = new LinkedHashMap<>();
        private final Map<StepKind, Long> counted = new LinkedHashMap<>();

        private String machine;

        Clocked(Contestant contestant, String machine) {
            this.machine = machine;
            trainee = Peer.trains(contestant) ? () -> peerBlock(contestant) : ofOurs(contestant);
        }

        private Map<StepKind, double[]> peerBlock(Contestant contestant) {
            Peer.Block block = peer.block(workload, data, contestant, SEED, budget, FEWEST_STEPS, BLOCK_SECONDS);
            machine = block.machine();
            return Map.of(StepKind.PLAIN, new double[] {block.seconds(), block.steps()});
        }

        private Trainee ofOurs(Contestant contestant) {
            Runner runner = new Runner(workload, data, budget, Reading.VALIDATION);
            Model network = runner.begin(contestant, SEED);
            DataSetIterator batches = data.train().iterator(workload.batch(), SEED);
            return () -> {
                Map<StepKind, double[]> sums = new LinkedHashMap<>();
                double begin = runner.seconds();
                int steps = 0;
                while (steps < FEWEST_STEPS || runner.seconds() - begin < BLOCK_SECONDS) {
                    double before = runner.seconds();
                    StepKind kind = runner.step(network, batches);
                    double[] sum = sums.computeIfAbsent(kind, none -> new double[2]);
                    sum[0] += runner.seconds() - before;
                    sum[1]++;
                    steps++;
                }
                return sums;
            };
        }

        void block(boolean counts) {
            Map<StepKind, double[]> sums = trainee.block();
            if (counts) {
                sums.forEach((kind, sum) -> {
                    blocks.computeIfAbsent(kind, none -> new ArrayList<>()).add(1e3 * sum[0] / sum[1]);
                    counted.merge(kind, (long) sum[1], Long::sum);
                });
            }
        }

        /** The median over blocks of the mean within a block: what disturbs a block does not count, collections do. */
        Map<StepKind, Double> milliseconds() {
            Map<StepKind, Double> medians = new LinkedHashMap<>();
            blocks.forEach((kind, means) -> medians.put(kind, median(means)));
            return medians;
        }
    }

    /** Returns the costs by the contestants' names; those that fail are left out, but for the peer, whose failure is thrown. */
    Map<String, StepCosts> measure(List<Contestant> contestants, String commit, String machine, boolean full) {
        Map<String, Clocked> clocked = new LinkedHashMap<>();
        for (Contestant contestant : contestants) {
            try {
                clocked.put(contestant.name(), new Clocked(contestant, machine));
            } catch (RuntimeException | Error e) {
                Runner.closeWorkspaces();
            }
        }
        for (int round = 0; round < ROUNDS; round++) {
            List<String> order = new ArrayList<>(clocked.keySet());
            if (round % 2 == 1) {
                Collections.reverse(order);
            }
            for (String name : order) {
                try {
                    clocked.get(name).block(round >= WARM_UP_ROUNDS);
                } catch (Peer.Failure e) {
                    throw e;
                } catch (RuntimeException | Error e) {
                    Runner.closeWorkspaces();
                    clocked.remove(name);
                }
            }
        }
        Map<String, StepCosts> costs = new LinkedHashMap<>();
        clocked.forEach((name, one) -> costs.put(
                name,
                new StepCosts(
                        workload.name(),
                        full,
                        name,
                        commit,
                        one.machine,
                        null,
                        one.milliseconds(),
                        Map.copyOf(one.counted),
                        Double.NaN,
                        Double.NaN)));
        return costs;
    }

    /** Returns the seconds of a step, from one block after a first one. */
    double secondsOfAStep(Contestant contestant) {
        Clocked one = new Clocked(contestant, "");
        one.block(false);
        one.block(true);
        double steps = one.counted.values().stream().mapToLong(Long::longValue).sum();
        double milliseconds = one.blocks.entrySet().stream()
                .mapToDouble(entry ->
                        one.counted.get(entry.getKey()) * entry.getValue().get(0))
                .sum();
        return milliseconds / steps / 1e3;
    }

    /**
     * Runs all within this meter's budget, unread and in turns, {@value #CHECKS} times, and notes the median of what the clock
     * says and what the costs say. Those without costs are passed over.
     */
    Map<String, StepCosts> check(List<Contestant> contestants, Map<String, StepCosts> costs) {
        Map<String, List<Double>> clocked = new LinkedHashMap<>();
        Map<String, StepCosts> checked = new LinkedHashMap<>();
        for (int i = 0; i < CHECKS; i++) {
            for (Contestant contestant : contestants) {
                StepCosts known = costs.get(contestant.name());
                if (known == null) {
                    continue;
                }
                RunRecord.Checkpoint end = last(course(contestant).checkpoints());
                List<Double> its = clocked.computeIfAbsent(contestant.name(), name -> new ArrayList<>());
                its.add(end.seconds());
                checked.put(contestant.name(), known.checked(median(its), known.seconds(end.steps())));
            }
        }
        return checked;
    }

    private Runner.Course course(Contestant contestant) {
        return Peer.trains(contestant)
                ? peer.run(workload, data, contestant, SEED, budget, Reading.VALIDATION)
                        .course()
                : new Runner(workload, data, budget, Reading.VALIDATION).run(contestant, SEED);
    }

    private static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        int n = sorted.length;
        return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    }

    private static RunRecord.Checkpoint last(List<RunRecord.Checkpoint> checkpoints) {
        return checkpoints.get(checkpoints.size() - 1);
    }
}
