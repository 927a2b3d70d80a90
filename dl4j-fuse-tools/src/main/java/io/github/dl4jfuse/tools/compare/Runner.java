package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.datasets.DataSource;
import io.github.dl4jfuse.listener.DL4JFuse;
import io.github.dl4jfuse.listener.LfsoStatistics;
import io.github.dl4jfuse.listener.OptimizerReport;
import io.github.dl4jfuse.network.Dl4jModel;
import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.networks.Architecture;
import io.github.dl4jfuse.tools.networks.Networks;
import io.github.dl4jfuse.tools.networks.Networks.Score;
import io.github.dl4jfuse.updater.AdamLbfgsConfig;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains one network within a budget and reads it at evenly spaced points. For one seed all contestants start at the same
 * weights and see the same batches. Reading costs no time; the last point is the end of the run, not its best moment.
 */
final class Runner {

    /** What is read of a run. */
    enum Reading {
        /** Training, validation and test, at all points. */
        EVERYTHING,
        /** The validation set at the end, for runs that only tune. */
        VALIDATION
    }

    /** Most training examples that a reading of the training loss takes. */
    static final int TRAINING_EXAMPLES = 10_000;

    private static final int MEASURING_BATCH = 1_000;

    private static final double ROUNDING = 1e-9;

    private static final double WARM_UP_SECONDS = 5;

    private static final double WARM_UP_SHARE = 0.5;

    private static final Logger log = LoggerFactory.getLogger(Runner.class);

    private final Workload workload;
    private final Workload.Split data;
    private final Budget budget;
    private final Reading reading;
    private final Map<StepKind, Long> steps = new LinkedHashMap<>();
    private double evaluations; // of gradients; of the loss alone a third
    private long backwardPasses;
    private double seconds;
    private GeometryCurves geometry;
    private Equipment equipment;

    Runner(Workload workload, Workload.Split data, Budget budget, Reading reading) {
        this.workload = workload;
        this.data = data;
        this.budget = budget;
        this.reading = reading;
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
        Model network = begin(contestant, seed);
        String fingerprint = Fingerprint.of(workload, contestant, equipment);
        List<Checkpoint> checkpoints = new ArrayList<>();
        checkpoints.add(read(network, reading == Reading.EVERYTHING));
        String failure = "";
        try {
            geometry = GeometryCurves.of(network, data.train());
            failure = train(network, seed, checkpoints);
        } catch (RuntimeException | Error e) { // an OutOfMemoryError of one is no reason to lose the others
            failure = e.toString();
            closeWorkspaces();
        }
        return new Course(
                equipment.settings(),
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
        Checkpoint start =
                new Checkpoint(0, 0, Map.of(), Double.NaN, Double.NaN, accuracy, Double.NaN, accuracy, Map.of());
        return new Course(
                contestant.name(), "it did not begin: " + cause, 0, RunRecord.UNKNOWN, "unknown", List.of(start));
    }

    /** What failed in the middle of a step may have left some open, into which the next run would write. */
    static void closeWorkspaces() {
        Nd4j.getMemoryManager().setCurrentWorkspace(null);
        Nd4j.getWorkspaceManager().destroyAllWorkspacesForCurrentThread();
    }

    private String train(Model network, long seed, List<Checkpoint> checkpoints) {
        DataSetIterator batches = data.train().iterator(workload.batch(), seed);
        int points = reading == Reading.EVERYTHING ? workload.checkpoints() : 1;
        int read = 0;
        while (budget.used(evaluations, seconds) < 1) {
            step(network, batches);
            double used = budget.used(evaluations, seconds);
            if (used >= (read + 1) / (double) points) {
                read = (int) Math.min(points, Math.floor(used * points + ROUNDING));
                checkpoints.add(read(network, true));
                if (!Double.isFinite(checkpoints.get(checkpoints.size() - 1).validationLoss())) {
                    return "the loss is not finite";
                }
            }
        }
        return "";
    }

    /** Builds the network and starts the counts anew. */
    Model begin(Contestant contestant, long seed) {
        evaluations = 0;
        backwardPasses = 0;
        seconds = 0;
        steps.clear();
        geometry = null;
        equipment = equipment(contestant);
        Architecture architecture = workload.architecture(seed)
                .withAlgorithm(contestant.algorithm())
                .with(equipment.updaters()::apply);
        Model network = architecture.build();
        Acceleration.attach(network);
        if (architecture.layers().stream().anyMatch(Runner::isOurs)) {
            DL4JFuse.attach(network);
        }
        Dl4jModel model = Dl4jModel.of(network);
        equipment.listeners().forEach(model::addListener);
        if (equipment.evaluation() != null) {
            model.addListener(equipment.evaluation());
        }
        model.addListener(new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model model) {
                backwardPasses++; // every evaluation of a gradient passes here, those of line searches too
            }
        });
        return network;
    }

    /** Trains for a moment, unread: Java has then compiled what the contestant needs, as it has for one that was tuned. */
    void warmUp(Contestant contestant, long seed) {
        try {
            Model network = begin(contestant, seed);
            DataSetIterator batches = data.train().iterator(workload.batch(), seed);
            while (seconds < WARM_UP_SECONDS && budget.used(evaluations, seconds) < WARM_UP_SHARE) {
                step(network, batches);
            }
        } catch (RuntimeException | Error e) {
            log.debug("{} failed as it warmed up, so its runs will.", contestant.name(), e);
            closeWorkspaces();
        }
    }

    private static boolean isOurs(Layer layer) {
        return layer instanceof BaseLayer base
                && (base.getIUpdater() instanceof AdamLbfgsConfig
                        || base.getIUpdater() instanceof Preconditioned
                        || base.getIUpdater() instanceof Lfso);
    }

    /** Returns what a contestant puts into the network of this run. */
    Equipment equipment(Contestant contestant) {
        long expected = budget.seconds() ? workload.budget(true).steps() : budget.steps();
        return contestant.equipment().apply(new Horizon(() -> budget.used(evaluations, seconds), expected));
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

    /** Trains on the next batch, and returns of what kind the step was; its time stands in {@link #seconds}. */
    StepKind step(Model network, DataSetIterator batches) {
        if (!batches.hasNext()) {
            Networks.countEpoch(network);
            batches.reset();
        }
        DataSet batch = batches.next();
        List<long[]> before = counts(network);
        long passes = backwardPasses;
        long begin = System.nanoTime();
        Networks.fit(network, batch);
        Nd4j.getExecutioner().commit();
        seconds += (System.nanoTime() - begin) / 1e9;
        StepKind kind = StepKind.between(before, counts(network), backwardPasses - passes);
        steps.merge(kind, 1L, Long::sum);
        evaluations += kind.evaluations();
        return kind;
    }

    /** Returns the seconds of training so far. */
    double seconds() {
        return seconds;
    }

    private static List<long[]> counts(Model network) {
        return DL4JFuse.reports(network).stream().map(StepKind::counts).toList();
    }

    private Checkpoint read(Model network, boolean now) {
        if (!now) {
            return checkpoint(Score.UNKNOWN, Score.UNKNOWN, Score.UNKNOWN, Map.of());
        }
        if (equipment.evaluation() != null) {
            equipment.evaluation().enter(network);
        }
        try {
            Score unread = Score.UNKNOWN;
            boolean everything = reading == Reading.EVERYTHING;
            return checkpoint(
                    everything ? score(network, data.train(), TRAINING_EXAMPLES) : unread,
                    score(network, data.validation(), Integer.MAX_VALUE),
                    everything ? score(network, data.test(), Integer.MAX_VALUE) : unread,
                    everything ? measured(network) : Map.of());
        } finally {
            if (equipment.evaluation() != null) {
                equipment.evaluation().leave(network);
            }
        }
    }

    private Score score(Model network, DataSource source, int most) {
        return Networks.score(network, source.iterator(MEASURING_BATCH), most, workload.classifies());
    }

    private Checkpoint checkpoint(Score training, Score validation, Score test, Map<String, Double> measured) {
        return new Checkpoint(
                Math.round(evaluations),
                seconds,
                steps,
                training.loss(),
                validation.loss(),
                validation.accuracy(),
                test.loss(),
                test.accuracy(),
                measured);
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
}
