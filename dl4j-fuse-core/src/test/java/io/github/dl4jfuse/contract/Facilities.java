package io.github.dl4jfuse.contract;

import io.github.dl4jfuse.contract.Contestant.Batches;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.EarlyStoppingResult;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingGraphTrainer;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.IUpdater;

/** Companions that train in DL4J's own ways: early stopping, transfer learning, another rate. */
final class Facilities {

    private static final int HALF = 14;
    private static final int EPOCHS = 2;

    private Facilities() {}

    static List<Companion> all() {
        return List.of(new Stopping(), new Transfer(), new Rate());
    }

    /** Early stopping: the training is the plain one, and a refusal reaches the caller. */
    private static final class Stopping implements Companion {
        @Override
        public String name() {
            return "early-stopping";
        }

        @Override
        public String title() {
            return "early stopping";
        }

        @Override
        public boolean suits(Case subject) {
            return subject.network().isStack();
        }

        @Override
        public Optional<String> check(Case subject) {
            Course course = subject.start();
            Course straight = subject.start().train(EPOCHS * Data.BATCHES);
            List<DataSet> data = new ArrayList<>();
            course.nextEpoch().forEach(batch -> data.add(Course.single(batch)));
            Model model = course.model();
            EarlyStoppingResult<?> result = model instanceof MultiLayerNetwork network
                    ? new EarlyStoppingTrainer(settings(data), network, new ExistingDataSetIterator(data)).fit()
                    : new EarlyStoppingGraphTrainer(
                                    settings(data), (ComputationGraph) model, new ExistingDataSetIterator(data))
                            .fit();
            if (result.getTerminationReason() == EarlyStoppingResult.TerminationReason.Error) {
                return Optional.of("ended by an error: " + result.getTerminationDetails());
            }
            if (result.getBestModel() == null
                    || !Course.isFinite(Course.numbers(((Model) result.getBestModel()).params()))) {
                return Optional.of("there is no best model");
            }
            return subject.network().causes().contains(Network.Cause.NOISE) // whose masks are drawn step by step
                    ? Companions.finite(course)
                    : Companions.different(straight, course);
        }

        private static <T extends Model> EarlyStoppingConfiguration<T> settings(List<DataSet> data) {
            return new EarlyStoppingConfiguration.Builder<T>()
                    .modelSaver(new InMemoryModelSaver<>())
                    .epochTerminationConditions(new MaxEpochsTerminationCondition(EPOCHS))
                    .scoreCalculator(new DataSetLossCalculator(new ExistingDataSetIterator(data), true))
                    .build();
        }
    }

    /** The first layer becomes a feature extractor: it keeps its bits, and the rest trains. */
    private static final class Transfer implements Companion {
        @Override
        public String name() {
            return "transfer-learning";
        }

        @Override
        public String title() {
            return "transfer learning, first layer frozen";
        }

        @Override
        public boolean suits(Case subject) {
            return subject.network().isStack();
        }

        @Override
        public Optional<String> check(Case subject) {
            Course first = new Course(subject, Contestant.ADAM.updater(), Case.SEED).train(HALF);
            FineTuneConfiguration fine = new FineTuneConfiguration.Builder()
                    .updater(subject.contestant().updater())
                    .seed(Case.SEED)
                    .build();
            Model model = first.model() instanceof MultiLayerNetwork network
                    ? new TransferLearning.Builder(network)
                            .fineTuneConfiguration(fine)
                            .setFeatureExtractor(0)
                            .build()
                    : new TransferLearning.GraphBuilder((ComputationGraph) first.model())
                            .fineTuneConfiguration(fine)
                            .setFeatureExtractor("layer0")
                            .build();
            Course course = first.goOnWith(model).listening(subject.contestant().listeners());
            Map<String, double[]> frozen = firstLayer(course);
            if (!isTrainedBy(subject.contestant().updater(), course)) {
                return Optional
                        .empty(); // nothing is left to be trained, or SameDiff layers, whose updater DL4J leaves as it
                // was
            }
            double[] before = course.parameters();
            course.train(2 * HALF);
            Map<String, double[]> after = firstLayer(course);
            for (Map.Entry<String, double[]> entry : frozen.entrySet()) {
                if (!Arrays.equals(entry.getValue(), after.get(entry.getKey()))) {
                    return Optional.of("frozen parameter moved: " + entry.getKey());
                }
            }
            if (Arrays.equals(before, course.parameters())) {
                return Optional.of("nothing was trained");
            }
            return Companions.finite(course);
        }

        private static boolean isTrainedBy(IUpdater updater, Course course) {
            return Stream.of(course.layers())
                    .filter(layer -> !"layer0".equals(layer.conf().getLayer().getLayerName()))
                    .anyMatch(layer -> layer.paramTable().keySet().stream()
                            .map(name -> layer.conf().getLayer().getUpdaterByParam(name))
                            .anyMatch(each -> each != null && each.getClass() == updater.getClass()));
        }

        private static Map<String, double[]> firstLayer(Course course) {
            Map<String, double[]> parameters = new TreeMap<>();
            for (Layer layer : course.layers()) {
                if ("layer0".equals(layer.conf().getLayer().getLayerName())) {
                    layer.paramTable().forEach((key, value) -> parameters.put(key, Course.numbers(value)));
                }
            }
            return parameters;
        }
    }

    /** setLearningRate in the middle is followed, or it is said that there is no rate. */
    private static final class Rate implements Companion {
        private static final String NO_RATE = "learning rate";

        @Override
        public String name() {
            return "learning-rate";
        }

        @Override
        public String title() {
            return "setLearningRate in the middle";
        }

        @Override
        public Optional<String> check(Case subject) {
            Course plain = subject.start().train(HALF);
            Course slow = subject.start().train(HALF);
            double[] before = slow.parameters();
            boolean said;
            try (LogLines log = new LogLines()) {
                boolean refused = isRefused(slow.model(), 1e-9);
                plain.train(1);
                slow.train(1);
                said = refused || log.all().stream().anyMatch(line -> line.contains(NO_RATE));
            }
            if (!Course.isFinite(slow.parameters())) {
                return Optional.of("parameters are not finite");
            }
            double usual = Course.difference(before, plain.parameters());
            double step = Course.difference(before, slow.parameters());
            boolean rateless = subject.batches() == Batches.ONE // L-BFGS has no rate
                    || subject.contestant() == Contestant.FUSE_PV_SWITCHED
                    || subject.contestant() == Contestant.FUSE
                    || subject.contestant() == Contestant.PRECONDITIONED_FUSE;
            return rateless || said || step < 0.1 * usual
                    ? Optional.empty()
                    : Optional.of("the rate was ignored: a step of " + step + ", with the old rate " + usual);
        }

        private static boolean isRefused(Model model, double rate) {
            try {
                set(model, rate);
                return false;
            } catch (UnsupportedOperationException e) {
                if (e.getMessage().contains(NO_RATE)) {
                    return true;
                }
                throw e;
            }
        }

        private static void set(Model model, double rate) {
            if (model instanceof MultiLayerNetwork network) {
                network.setLearningRate(rate);
            } else {
                ((ComputationGraph) model).setLearningRate(rate);
            }
        }
    }
}
