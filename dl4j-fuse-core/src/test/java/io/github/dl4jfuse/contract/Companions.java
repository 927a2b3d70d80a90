package io.github.dl4jfuse.contract;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.datasets.iterator.IteratorMultiDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.InvocationType;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.listeners.CheckpointListener;
import org.deeplearning4j.optimize.listeners.CollectScoresIterationListener;
import org.deeplearning4j.optimize.listeners.CollectScoresListener;
import org.deeplearning4j.optimize.listeners.EvaluativeListener;
import org.deeplearning4j.optimize.listeners.PerformanceListener;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.deeplearning4j.optimize.listeners.SleepyTrainingListener;
import org.deeplearning4j.optimize.listeners.TimeIterationListener;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.evaluation.regression.RegressionEvaluation;
import org.nd4j.linalg.dataset.MultiDataSet;

/** All companions; the first is {@link Training}. */
final class Companions {

    /** Steps before and after what a companion does; the second half of one batch is in the L-BFGS phase. */
    private static final int HALF = 14;

    static final Training TRAINING = new Training();

    private Companions() {}

    /** All of them, in the order of the table. */
    static List<Companion> all() {
        List<Companion> all = new ArrayList<>();
        all.add(TRAINING);
        Map<String, Function<Case, TrainingListener>> listeners = new LinkedHashMap<>();
        listeners.put("ScoreIterationListener", subject -> new ScoreIterationListener(1));
        listeners.put("EvaluativeListener", Companions::evaluative);
        listeners.put("PerformanceListener", subject -> new PerformanceListener(1, true));
        listeners.put("CollectScoresIterationListener", subject -> new CollectScoresIterationListener(1));
        listeners.put("CollectScoresListener", subject -> new CollectScoresListener(1));
        listeners.put("TimeIterationListener", subject -> new TimeIterationListener(2 * HALF));
        listeners.put(
                "SleepyTrainingListener",
                subject -> SleepyTrainingListener.builder().build());
        listeners.forEach((name, listener) -> {
            all.add(beside(name, true, listener));
            all.add(beside(name, false, listener));
        });
        all.add(checkpoints(true));
        all.add(checkpoints(false));
        all.add(Companion.of("resume", "save, load, go on: the same bits", Companions::resume));
        all.add(Companion.of("clone", "a clone goes on alike, and each alone", Companions::clones));
        all.add(Companion.of("json", "configuration to JSON and back", subject -> rewritten(subject, true)));
        all.add(Companion.of("yaml", "configuration to YAML and back", subject -> rewritten(subject, false)));
        all.add(Companion.of("new-listener", "setListeners with a new listener of ours", Companions::newListener));
        all.add(new Removal());
        all.add(Companion.of("evaluation", "output and score between steps", Companions::evaluation));
        all.add(Companion.of("own-gradient", "computeGradientAndScore between steps", Companions::ownGradient));
        all.add(Companion.of("state", "a state put into a running updater", Companions::statePutIn));
        all.add(Companion.of("iterator", "fit(iterator, epochs)", Companions::iterator));
        all.add(Companion.of("two-threads", "two networks in two threads", Companions::twoThreads));
        all.addAll(Facilities.all());
        return List.copyOf(all);
    }

    private static TrainingListener evaluative(Case subject) {
        MultiDataSet other =
                subject.network().batch(1, Case.SEED + 100, subject.form().type());
        return subject.form().graph() || !subject.network().isStack()
                ? new EvaluativeListener(other, 1, InvocationType.ITERATION_END, new RegressionEvaluation())
                : new EvaluativeListener(
                        Course.single(other), 1, InvocationType.ITERATION_END, new RegressionEvaluation());
    }

    private static Companion beside(String name, boolean before, Function<Case, TrainingListener> listener) {
        return Companion.of(
                name + (before ? "-before" : "-after"), name + (before ? " before ours" : " after ours"), subject -> {
                    List<TrainingListener> all =
                            new ArrayList<>(subject.contestant().listeners());
                    all.add(before ? 0 : all.size(), listener.apply(subject));
                    Course with = subject.start().listening(all);
                    return different(subject.start().train(2 * HALF), with.train(2 * HALF));
                });
    }

    private static Companion checkpoints(boolean before) {
        return Companion.of(
                "CheckpointListener" + (before ? "-before" : "-after"),
                "CheckpointListener " + (before ? "before" : "after") + " ours, resumed",
                subject -> checkpoint(subject, before));
    }

    private static Optional<String> checkpoint(Case subject, boolean before) throws IOException {
        Path folder = Files.createTempDirectory("contract");
        try {
            CheckpointListener checkpoints = new CheckpointListener.Builder(folder.toFile())
                    .saveEveryNIterations(HALF - 1) // it counts from 0
                    .keepAll()
                    .logSaving(false)
                    .build();
            List<TrainingListener> all = new ArrayList<>(subject.contestant().listeners());
            all.add(before ? 0 : all.size(), checkpoints);
            Course first = subject.start().listening(all).train(HALF);
            Course straight = subject.start().train(HALF);
            if (checkpoints.availableCheckpoints().isEmpty()) {
                return Optional.of("no checkpoint after " + HALF + " steps");
            }
            File file = checkpoints.getFileForCheckpoint(checkpoints.lastCheckpoint());
            Model loaded = first.model() instanceof MultiLayerNetwork
                    ? ModelSerializer.restoreMultiLayerNetwork(file, true)
                    : ModelSerializer.restoreComputationGraph(file, true);
            setCounts(first.model(), loaded); // in the middle of an epoch DL4J saves one step too few
            Course second =
                    first.goOnWith(loaded).listening(subject.contestant().listeners());
            return different(straight, first)
                    .or(() -> different(straight, second).map(gap -> "the checkpoint " + gap))
                    .or(() -> goesOn(subject, straight, second));
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
            }
        }
    }

    private static void setCounts(Model from, Model to) {
        if (from instanceof MultiLayerNetwork source && to instanceof MultiLayerNetwork target) {
            target.setIterationCount(source.getIterationCount());
            target.setEpochCount(source.getEpochCount());
        } else {
            ComputationGraph source = (ComputationGraph) from;
            ComputationGraph target = (ComputationGraph) to;
            target.getConfiguration().setIterationCount(source.getIterationCount());
            target.getConfiguration().setEpochCount(source.getEpochCount());
        }
    }

    private static Optional<String> resume(Case subject) throws IOException {
        Course straight = subject.start().train(HALF);
        Course second = straight.goOnWith(restored(straight.model()))
                .listening(subject.contestant().listeners());
        return different(straight, second).or(() -> goesOn(subject, straight, second));
    }

    /** As many steps again of a training and of what went on from its middle. */
    private static Optional<String> goesOn(Case subject, Course straight, Course second) {
        straight.train(HALF);
        second.train(HALF);
        return subject.forgets() ? finite(second) : different(straight, second);
    }

    static Model restored(Model model) throws IOException {
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        ModelSerializer.writeModel(model, saved, true);
        ByteArrayInputStream in = new ByteArrayInputStream(saved.toByteArray());
        return model instanceof MultiLayerNetwork
                ? ModelSerializer.restoreMultiLayerNetwork(in, true)
                : ModelSerializer.restoreComputationGraph(in, true);
    }

    private static Optional<String> clones(Case subject) {
        Course straight = subject.start().train(2 * HALF);
        Course original = subject.start().train(HALF);
        Model model = original.model();
        List<TrainingListener> listeners = List.copyOf(original.listeners());
        Model copy = model instanceof MultiLayerNetwork network ? network.clone() : ((ComputationGraph) model).clone();
        setCounts(model, copy); // ComputationGraph.clone forgets them, and shares the list of listeners
        Course cloned = original.goOnWith(copy);
        if (model instanceof ComputationGraph) {
            original.listening(listeners);
        }
        double[] parameters = original.parameters();
        double[] state = original.state();
        cloned.listening(subject.contestant().listeners()).train(HALF);
        if (Course.difference(parameters, original.parameters()) != 0
                || Course.difference(state, original.state()) != 0) {
            return Optional.of("training the clone changed the original");
        }
        if (model instanceof ComputationGraph) {
            original.listening(listeners);
        }
        return (subject.forgets() ? finite(cloned) : different(straight, cloned))
                .map(gap -> "the clone " + gap)
                .or(() -> different(straight, original.train(HALF)).map(gap -> "the original " + gap));
    }

    private static Optional<String> rewritten(Case subject, boolean json) {
        Course straight = subject.start();
        Model model;
        Object before;
        Object after;
        if (straight.model() instanceof MultiLayerNetwork network) {
            MultiLayerConfiguration old = network.getLayerWiseConfigurations();
            MultiLayerConfiguration read = json
                    ? MultiLayerConfiguration.fromJson(old.toJson())
                    : MultiLayerConfiguration.fromYaml(old.toYaml());
            before = old;
            after = read;
            model = new MultiLayerNetwork(read);
        } else {
            ComputationGraphConfiguration old = ((ComputationGraph) straight.model()).getConfiguration();
            ComputationGraphConfiguration read = json
                    ? ComputationGraphConfiguration.fromJson(old.toJson())
                    : ComputationGraphConfiguration.fromYaml(old.toYaml());
            before = old;
            after = read;
            model = new ComputationGraph(read);
        }
        if (!before.equals(after)) {
            return Optional.of("the configuration that was read differs");
        }
        model.init();
        Course second = straight.goOnWith(model).listening(subject.contestant().listeners());
        return different(straight.train(HALF), second.train(HALF));
    }

    private static Optional<String> newListener(Case subject) {
        Course straight = subject.start().train(2 * HALF);
        Course changed = subject.start().train(HALF);
        changed.listening(subject.contestant().listeners()).train(HALF);
        return subject.forgets() ? finite(changed) : different(straight, changed);
    }

    private static Optional<String> evaluation(Case subject) {
        Course straight = subject.start().train(2 * HALF);
        Course evaluated = subject.start();
        for (int i = 0; i < 2 * HALF; i++) {
            evaluated.loss();
            evaluated.train(1);
        }
        return different(straight, evaluated);
    }

    private static Optional<String> ownGradient(Case subject) {
        Course straight = subject.start().train(2 * HALF);
        Course asked = subject.start().train(1);
        for (int i = 1; i < 2 * HALF; i++) {
            MultiDataSet other =
                    subject.network().batch(i, Case.SEED + 200, subject.form().type());
            if (asked.model() instanceof MultiLayerNetwork network) {
                network.setInput(other.getFeatures(0));
                network.setLabels(other.getLabels(0));
                network.setLayerMaskArrays(null, null);
                network.computeGradientAndScore();
            } else {
                ComputationGraph graph = (ComputationGraph) asked.model();
                graph.setInputs(other.getFeatures());
                graph.setLabels(other.getLabels());
                graph.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
            }
            asked.train(1);
        }
        return different(straight, asked);
    }

    /** Parameters, state and counts of one training put into another: from there on both are the same. */
    private static Optional<String> statePutIn(Case subject) {
        Course source = subject.start().train(HALF);
        Course target = subject.start().train(HALF / 2);
        target.model().params().assign(source.model().params());
        BaseMultiLayerUpdater<?> from = updater(source.model());
        updater(target.model()).setStateViewArray(from.getStateViewArray().dup());
        setCounts(source.model(), target.model());
        Course goesOn = source.goOnWith(target.model());
        source.train(HALF);
        goesOn.train(HALF);
        return subject.forgets() ? finite(goesOn) : different(source, goesOn);
    }

    private static BaseMultiLayerUpdater<?> updater(Model model) {
        return model instanceof MultiLayerNetwork network
                ? (BaseMultiLayerUpdater<?>) network.getUpdater()
                : ((ComputationGraph) model).getUpdater();
    }

    private static Optional<String> iterator(Case subject) {
        Course straight = subject.start();
        Course iterated = subject.start();
        straight.train(2 * Data.BATCHES);
        if (iterated.model() instanceof MultiLayerNetwork network) {
            for (int epoch = 0; epoch < 2; epoch++) {
                network.fit(new ExistingDataSetIterator(
                        iterated.nextEpoch().stream().map(Course::single).toList()));
            }
        } else {
            for (int epoch = 0; epoch < 2; epoch++) {
                ((ComputationGraph) iterated.model())
                        .fit(new IteratorMultiDataSetIterator(
                                iterated.nextEpoch().stream()
                                        .map(org.nd4j.linalg.dataset.api.MultiDataSet.class::cast)
                                        .iterator(),
                                Data.EXAMPLES));
            }
        }
        return different(straight, iterated);
    }

    private static Optional<String> twoThreads(Case subject) throws Exception {
        Course straight = subject.start().train(HALF);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Callable<Course> training = () -> subject.start().train(HALF);
            List<Future<Course>> courses = threads.invokeAll(List.of(training, training));
            Course second = courses.get(1).get();
            return different(straight, courses.get(0).get()).or(() -> different(straight, second));
        } finally {
            threads.shutdown();
        }
    }

    static Optional<String> finite(Course course) {
        return Course.isFinite(course.parameters()) ? Optional.empty() : Optional.of("parameters are not finite");
    }

    static Optional<String> different(Course one, Course other) {
        double gap = Course.difference(one.parameters(), other.parameters());
        if (gap != 0) {
            return Optional.of("differs by " + String.format(Locale.ROOT, "%.3g", gap));
        }
        double states = Course.difference(one.state(), other.state());
        return states == 0 ? Optional.empty() : Optional.of("has another state, by " + states);
    }
}
