package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.listener.DL4JFuse;
import io.github.dl4jfuse.listener.LfsoStatistics;
import io.github.dl4jfuse.listener.OptimizerReport;
import io.github.dl4jfuse.network.Dl4jModel;
import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.updater.AdamLbfgsConfig;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains one network within a budget and measures it at evenly spaced points. For one seed all contestants start at the
 * same weights and see the same batches. The clock stands still while the network is measured; the last point is the end
 * of the run, not its best moment.
 */
final class Runner {

    private static final Logger log = LoggerFactory.getLogger(Runner.class);

    private static final int MEASURING_BATCH = 1_000;

    private static final double WARM_UP_SECONDS = 5;

    private static final double THIRD = 1 / 3.0;

    private final Workload workload;
    private final Workload.Split data;
    private final Budget budget;
    private double evaluations; // of gradients; of the loss alone a third
    private double seconds;
    private GeometryCurves geometry;

    Runner(Workload workload, Workload.Split data, Budget budget) {
        this.workload = workload;
        this.data = data;
        this.budget = budget;
    }

    /**
     * The course of a run.
     *
     * @param settings the updater in full
     * @param failure empty, or why the run failed
     * @param steps training steps done
     * @param extraBytes what the optimiser keeps
     * @param updater the fingerprint of the optimiser
     * @param checkpoints where it stood, the start first
     */
    record Course(
            String settings,
            String failure,
            long steps,
            long extraBytes,
            String updater,
            List<Checkpoint> checkpoints) {}

    Course run(Contestant contestant, long seed) {
        evaluations = 0;
        seconds = 0;
        geometry = null;
        IUpdater updater = contestant.updater().apply(() -> budget.used(evaluations, seconds));
        String fingerprint = Fingerprint.of(contestant, updater);
        Model network = network(contestant, updater, seed);
        List<Checkpoint> checkpoints = new ArrayList<>();
        checkpoints.add(measure(network));
        freeMemory();
        String failure = "";
        try {
            geometry = GeometryCurves.of(network, data.train());
            failure = train(network, seed, checkpoints);
        } catch (RuntimeException | Error e) { // an OutOfMemoryError of one is no reason to lose the others
            failure = e.toString();
            closeWorkspaces();
        }
        return new Course(
                updater.toString(),
                failure,
                Dl4jModel.of(network).iteration(),
                extraBytes(contestant, network),
                fingerprint,
                checkpoints);
    }

    /** Returns the course of a run that could not even begin. */
    Course failed(Contestant contestant, Throwable cause) {
        closeWorkspaces();
        double accuracy = workload.classifies() ? 0 : Double.NaN;
        Checkpoint start = new Checkpoint(0, 0, Double.NaN, Double.NaN, Double.NaN, accuracy, Map.of());
        return new Course(
                contestant.name(), "it did not begin: " + cause, 0, RunRecord.UNKNOWN, "unknown", List.of(start));
    }

    /** What failed in the middle of a step may have left some open, into which the next run would write. */
    private static void closeWorkspaces() {
        Nd4j.getMemoryManager().setCurrentWorkspace(null);
        Nd4j.getWorkspaceManager().destroyAllWorkspacesForCurrentThread();
    }

    /**
     * Frees what was used before. A collection takes .1 s and more, and ND4J's threads as long again to give the buffers
     * back: in a training of half a second that would weigh more than its steps.
     */
    private static void freeMemory() {
        System.gc();
        long begin = System.nanoTime();
        do {
            LockSupport.parkNanos(50_000_000);
        } while (Thread.getAllStackTraces().keySet().stream().anyMatch(Runner::isFreeing)
                && System.nanoTime() - begin < 5_000_000_000L);
    }

    private static boolean isFreeing(Thread thread) {
        return thread.getName().contains("Deallocator") && thread.getState() == Thread.State.RUNNABLE;
    }

    private String train(Model network, long seed, List<Checkpoint> checkpoints) {
        DataSetIterator batches = data.train().iterator(workload.batch(), seed);
        while (budget.used(evaluations, seconds) < 1) {
            step(network, batches);
            if (budget.used(evaluations, seconds) >= checkpoints.size() / (double) workload.checkpoints()) {
                checkpoints.add(measure(network));
                if (!Double.isFinite(checkpoints.get(checkpoints.size() - 1).trainingLoss())) {
                    return "the loss is not finite";
                }
            }
        }
        return "";
    }

    /** Trains for a moment, unmeasured: Java has then compiled what the contestant needs, as it has for one that was tuned. */
    void warmUp(Contestant contestant, long seed) {
        try {
            Model network = network(contestant, contestant.updater().apply(() -> 0), seed);
            DataSetIterator batches = data.train().iterator(workload.batch(), seed);
            while (seconds < WARM_UP_SECONDS && budget.used(evaluations, seconds) < warmUpShare()) {
                step(network, batches);
            }
        } catch (RuntimeException | Error e) {
            log.debug("{} failed as it warmed up, so its runs will.", contestant.name(), e);
            closeWorkspaces();
        }
    }

    /** A budget in seconds is for where time is short. */
    private double warmUpShare() {
        return budget.seconds() ? 0.5 : 1;
    }

    private Model network(Contestant contestant, IUpdater updater, long seed) {
        Model network = Networks.network(workload.architecture(seed).withAlgorithm(contestant.algorithm()), updater);
        Acceleration.attach(network);
        if (updater instanceof AdamLbfgsConfig || updater instanceof Preconditioned || updater instanceof Lfso) {
            DL4JFuse.attach(network);
        }
        if (contestant.listener() != null) {
            Dl4jModel.of(network).addListener(contestant.listener().get());
        }
        Dl4jModel.of(network).addListener(new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model model) {
                evaluations++; // every evaluation of a gradient passes here, those of line searches too
            }
        });
        return network;
    }

    private static long extraBytes(Contestant contestant, Model network) {
        if (contestant.algorithm() != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
            return RunRecord.UNKNOWN;
        }
        return Networks.updaterBytes(network)
                + DL4JFuse.reports(network).stream()
                        .mapToLong(OptimizerReport::extraBytes)
                        .sum();
    }

    private void step(Model network, DataSetIterator batches) {
        if (!batches.hasNext()) {
            Networks.countEpoch(network);
            batches.reset();
        }
        DataSet batch = batches.next();
        long thirds = unseenThirds(network);
        long begin = System.nanoTime();
        Networks.fit(network, batch);
        Nd4j.getExecutioner().commit();
        seconds += (System.nanoTime() - begin) / 1e9;
        evaluations += (unseenThirds(network) - thirds) * THIRD;
    }

    /** Evaluations that no backward pass shows, in thirds: a Gauss-Newton step counts as one, a forward pass as a third. */
    private static long unseenThirds(Model network) {
        return DL4JFuse.reports(network).stream()
                .mapToLong(report -> 3 * report.gaussNewtonSteps() + report.forwardPasses())
                .sum();
    }

    private Checkpoint measure(Model network) {
        double trainingLoss = Networks.loss(network, data.train(), MEASURING_BATCH);
        return new Checkpoint(
                Math.round(evaluations),
                seconds,
                trainingLoss,
                Networks.loss(network, data.validation(), MEASURING_BATCH),
                Networks.loss(network, data.test(), MEASURING_BATCH),
                accuracy(network, trainingLoss),
                measured(network));
    }

    private Map<String, Double> measured(Model network) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        for (OptimizerReport report : DL4JFuse.reports(network)) {
            if (report instanceof LfsoStatistics now && now.trials() > 0) {
                numbers.put("step length", now.rate());
                numbers.put("smoothness L", now.smoothness());
                numbers.put("radius R", now.radius());
                numbers.put("refused trials", (double) now.refusedTrials());
            }
        }
        if (geometry != null) {
            numbers.putAll(geometry.at(network));
        }
        return numbers;
    }

    /** DL4J refuses to evaluate a network that gives NaN; such a one classifies nothing. */
    private double accuracy(Model network, double trainingLoss) {
        if (!workload.classifies()) {
            return Double.NaN;
        }
        return Double.isFinite(trainingLoss) ? Networks.accuracy(network, data.test(), MEASURING_BATCH) : 0;
    }
}
