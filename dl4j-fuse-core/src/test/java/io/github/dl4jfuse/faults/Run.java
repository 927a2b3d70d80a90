package io.github.dl4jfuse.faults;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** A training of some steps on few batches over and over, struck by a fault or not. */
final class Run {

    /** Steps, and on a fixed batch, where a step is many. */
    static final int STEPS = 48;

    static final int STEPS_ON_A_FIXED_BATCH = 24;
    static final int EPOCHS = 4;
    static final int SWITCH = 12;

    private static final int BATCHES = 4;
    private static final int EXAMPLES = 8;

    /** The rate that is set; the default of Adam, so that little else changes. */
    private static final double RATE = 1e-3;

    private static final Pattern STATISTICS = Pattern.compile("_(mean|var|log10stdev)$");

    /** What another listener throws. */
    static final class Injected extends RuntimeException {
        Injected() {
            super("thrown by another listener");
        }
    }

    /**
     * How it went.
     *
     * @param finite whether all parameters are
     * @param trained whether all but BatchNorm's running statistics are
     * @param before the mean loss of the clean batches before the first strike, without penalties
     * @param after the same at the end
     * @param thrown what was thrown, other than by the other listener; ends the training
     */
    record Result(boolean finite, boolean trained, double before, double after, Throwable thrown) {}

    private final Case drawn;
    private final Trainee trainee;
    private final boolean struck;
    private final List<DataSet> batches = new ArrayList<>();

    private Model model;
    private boolean armed;
    private int evaluations;

    Run(Case drawn, Trainee trainee, boolean struck) {
        this.drawn = drawn;
        this.trainee = trainee;
        this.struck = struck;
        for (int i = 0; i < (drawn.fixedBatch() ? 1 : BATCHES); i++) {
            batches.add(drawn.subject().batch(EXAMPLES, drawn.seed() + i, drawn.type()));
        }
    }

    Result train() {
        Nd4j.getRandom().setSeed(drawn.seed());
        model = drawn.subject().network(trainee.updater(), drawn.seed(), drawn.type());
        listen(true);
        double before = Double.NaN;
        Throwable thrown = null;
        Random random = new Random(drawn.seed());
        for (int step = 0; step < drawn.steps() && thrown == null; step++) {
            if (step == drawn.step()) {
                before = loss();
            }
            try {
                if (struck && step == drawn.step()) {
                    happen();
                }
                Subject.fit(model, batch(step, random));
            } catch (Injected e) {
                armed = false; // caught, as by somebody who trains on
            } catch (Exception | Error e) {
                thrown = e;
            }
            if ((step + 1) % (STEPS / EPOCHS) == 0) {
                endEpoch();
            }
        }
        boolean finite = isFinite(model.params());
        boolean trained = model.paramTable().entrySet().stream()
                .filter(entry -> !STATISTICS.matcher(entry.getKey()).find())
                .allMatch(entry -> isFinite(entry.getValue()));
        return new Result(finite, trained, before, finite ? loss() : Double.NaN, thrown);
    }

    private static boolean isFinite(INDArray array) {
        return Double.isFinite(array.castTo(DataType.DOUBLE).norm1Number().doubleValue());
    }

    private void endEpoch() {
        if (model instanceof ComputationGraph graph) {
            graph.incrementEpochCount();
        } else {
            ((MultiLayerNetwork) model).incrementEpochCount();
        }
    }

    private DataSet batch(int step, Random random) {
        if (!struck || !drawn.strikes(step) || drawn.fault() == DataFault.NONE) {
            return batches.get(step % batches.size()).copy();
        }
        DataSet batch = drawn.fault().examples(EXAMPLES) == EXAMPLES
                ? batches.get(step % batches.size()).copy()
                : drawn.subject().batch(drawn.fault().examples(EXAMPLES), drawn.seed() + step, drawn.type());
        drawn.fault().strike(batch, random);
        return batch;
    }

    private void listen(boolean ours) {
        List<TrainingListener> listeners = new ArrayList<>(ours ? trainee.listeners() : List.of());
        listeners.add(drawn.strangerFirst() ? 0 : listeners.size(), new Stranger());
        model.setListeners(listeners);
    }

    private void happen() throws IOException {
        switch (drawn.event()) {
            case NONE -> {}
            case EXCEPTION_IN_EVALUATION, EXCEPTION_AFTER_STEP -> {
                armed = true;
                evaluations = 0;
            }
            case LISTENER_REMOVED -> listen(false);
            case SAVED_AND_LOADED -> {
                ByteArrayOutputStream file = new ByteArrayOutputStream();
                ModelSerializer.writeModel(model, file, true);
                ByteArrayInputStream saved = new ByteArrayInputStream(file.toByteArray());
                model = model instanceof ComputationGraph
                        ? ModelSerializer.restoreComputationGraph(saved, true)
                        : ModelSerializer.restoreMultiLayerNetwork(saved, true);
                listen(true);
            }
            case RATE_SET -> Subject.setLearningRate(model, RATE);
        }
    }

    private double loss() {
        return batches.stream()
                .mapToDouble(batch -> Subject.score(model, batch))
                .average()
                .orElseThrow();
    }

    /** Another listener, which throws once when it is its time to. */
    private final class Stranger extends BaseTrainingListener {

        @Override
        public void onBackwardPass(Model current) {
            if (armed && drawn.event() == Event.EXCEPTION_IN_EVALUATION && ++evaluations == 2) {
                armed = false;
                throw new Injected();
            }
        }

        @Override
        public void iterationDone(Model current, int iteration, int epoch) {
            if (armed && drawn.event() == Event.EXCEPTION_AFTER_STEP) {
                armed = false;
                throw new Injected();
            }
        }
    }
}
