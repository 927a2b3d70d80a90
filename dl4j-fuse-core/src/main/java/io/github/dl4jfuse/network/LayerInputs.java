package io.github.dl4jfuse.network;

import io.github.dl4jfuse.precondition.Preconditioner;
import io.github.dl4jfuse.updater.PreconditionedUpdater;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.util.ConvolutionUtils;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.convolution.Convolution;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The inputs of the layers whose weights a {@link PreconditionedUpdater} trains, and the metrics that want to see them. */
public final class LayerInputs {

    private static final int MOST_CONVOLVED_EXAMPLES = 8;

    /** Layers whose "W" is met by the layer's own input; their subclasses may do something else with it. */
    private static final Set<Class<?>> KNOWN = Set.of(
            DenseLayer.class,
            OutputLayer.class,
            ConvolutionLayer.class,
            LSTM.class,
            SimpleRnn.class,
            RnnOutputLayer.class);

    /** A layer and its metric. */
    private record Observed(Layer layer, Preconditioner metric) {}

    private final Model model;
    private final BaseMultiLayerUpdater<?> updater;
    private final List<Observed> observed = new ArrayList<>();
    private final Set<Trainable> measured = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<UpdaterBlock.ParamState> leftAlone = new ArrayList<>();
    private final List<PreconditionedUpdater> updaters = new ArrayList<>();
    private final BatchNormStatistics statistics;
    private final List<Layer> layersSeen;

    /** Finds layers and metrics; tells the updaters where the weights lie. */
    public LayerInputs(Model model) {
        this.model = model;
        updater = Dl4jModel.of(model).updater();
        layersSeen = List.copyOf(Dl4jModel.of(model).layers());
        statistics = new BatchNormStatistics(NetworkParameter.of(model));
        Map<Trainable, Layer> layers = Dl4jModel.of(model).layersByOwner();
        for (UpdaterBlock block : updater.getUpdaterBlocks()) {
            if (block.getGradientUpdater() instanceof PreconditionedUpdater adapted) {
                updaters.add(adapted);
                add(block, adapted, layers);
            }
        }
    }

    /** Returns whether some parameters of the network are trained by {@code Preconditioned}. */
    public static boolean isPreconditioned(Model model) {
        return Dl4jModel.of(model).updater().getUpdaterBlocks().stream()
                .anyMatch(block -> block.getGradientUpdater() instanceof PreconditionedUpdater);
    }

    private void add(UpdaterBlock block, PreconditionedUpdater adapted, Map<Trainable, Layer> layers) {
        List<PreconditionedUpdater.Layer> places = new ArrayList<>();
        List<UpdaterBlock.ParamState> found = new ArrayList<>();
        IdentityHashMap<Trainable, UpdaterBlock.ParamState> biases = new IdentityHashMap<>();
        for (UpdaterBlock.ParamState p : block.getLayersAndVariablesInBlock()) {
            if (p.getParamName().equals(DefaultParamInitializer.BIAS_KEY)) {
                biases.put(p.getLayer(), p);
            }
        }
        for (UpdaterBlock.ParamState p : block.getLayersAndVariablesInBlock()) {
            Layer layer = layers.get(p.getLayer());
            if (!p.getParamName().equals(DefaultParamInitializer.WEIGHT_KEY) || layer == null || !isKnown(layer)) {
                continue;
            }
            UpdaterBlock.ParamState bias = biases.get(p.getLayer());
            INDArray weights = p.getLayer().paramTable(false).get(p.getParamName());
            boolean convolution = weights.rank() == 4;
            int outputs = (int) weights.size(convolution ? 0 : 1);
            int inputs = (int) (weights.length() / outputs);
            places.add(new PreconditionedUpdater.Layer(
                    p.getParamOffsetStart() - block.getParamOffsetStart(),
                    bias == null ? -1 : bias.getParamOffsetStart() - block.getParamOffsetStart(),
                    inputs,
                    outputs));
            found.add(p);
        }
        List<Preconditioner> metrics =
                adapted.setLayers(places, block.getParamOffsetEnd() - block.getParamOffsetStart());
        List<UpdaterBlock.ParamState> rest = new ArrayList<>(block.getLayersAndVariablesInBlock());
        for (int i = 0; i < found.size(); i++) {
            if (metrics.get(i) != null) {
                Trainable owner = found.get(i).getLayer();
                observed.add(new Observed(layers.get(owner), metrics.get(i)));
                measured.add(owner);
                rest.remove(found.get(i));
                rest.remove(biases.get(owner));
            }
        }
        leftAlone.addAll(rest);
    }

    private static boolean isKnown(Layer layer) {
        return KNOWN.contains(layer.conf().getLayer().getClass());
    }

    /**
     * Returns the names of layers that the plain rule trains, since their inputs are not understood, they are too narrow for a
     * metric, or their parameters do not meet the inputs. Where that is true of some parameters alone, as the recurrent
     * weights, these stand behind the name.
     */
    public List<String> leftAlone() {
        Map<Trainable, StringBuilder> names = new IdentityHashMap<>();
        List<StringBuilder> inOrder = new ArrayList<>();
        for (UpdaterBlock.ParamState p : leftAlone) {
            StringBuilder name = names.computeIfAbsent(p.getLayer(), owner -> {
                inOrder.add(new StringBuilder(owner.getConfig().getLayerName()));
                return inOrder.get(inOrder.size() - 1);
            });
            if (measured.contains(p.getLayer())) {
                name.append(" ").append(p.getParamName());
            }
        }
        return inOrder.stream().map(StringBuilder::toString).toList();
    }

    /** Returns whether the network still has the updater that this object looked at. */
    @SuppressWarnings("ReferenceEquality") // updaters with equal states are equal
    public boolean isCurrent() {
        return Dl4jModel.of(model).updater() == updater
                && areSame(Dl4jModel.of(model).layers(), layersSeen);
    }

    @SuppressWarnings("ReferenceEquality") // a layer may be exchanged for another one of the same configuration
    private static boolean areSame(List<Layer> some, List<Layer> others) {
        return some.size() == others.size()
                && IntStream.range(0, some.size()).allMatch(i -> some.get(i) == others.get(i));
    }

    /** Returns the iteration count: the number of steps completed. */
    public int iteration() {
        return Dl4jModel.of(model).iteration();
    }

    /** As {@link TrainingNetwork#holdBrokenStatistics}. */
    public boolean holdBrokenStatistics() {
        return statistics.holdBroken(model.getGradientsViewArray()
                .reshape(model.getGradientsViewArray().length()));
    }

    /** Tells the updaters that the next step is conducted. */
    public void conductNextStep() {
        updaters.forEach(PreconditionedUpdater::conductNextStep);
    }

    /** Lets the metrics take up what others have put into the updaters' state. */
    public void followState() {
        observed.forEach(each -> each.metric().follow());
    }

    /** Returns how many examples the present batch has. */
    public int examples() {
        return model.batchSize();
    }

    /** Tells the updaters how many examples the batch of a step has. */
    public void setExamples(int examples) {
        updaters.forEach(updater -> updater.setBatchSize(examples));
    }

    /**
     * Returns a copy of the present batch's inputs, layer by layer, to be made while the network's activations are valid.
     *
     * @param all of all layers, or only of those whose metrics want it, null for the others
     */
    public List<INDArray> copy(boolean all) {
        List<INDArray> copy = new ArrayList<>();
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            for (Observed each : observed) {
                copy.add(all || each.metric().wantsNext() ? rows(each.layer()) : null);
            }
        }
        return copy;
    }

    /** Returns whether some metric wants to see the present batch though its turn has not come. */
    public boolean isWanted() {
        return observed.stream().anyMatch(each -> each.metric().wantsNext());
    }

    /**
     * What was unusual at a look, by the layers' names.
     *
     * @param notFinite layers whose inputs are NaN, infinite or near the largest number there is, and were not taken
     * @param unlikeOthers layers whose inputs at the looks before were far larger or smaller than now and before, and were not taken
     * @param changed layers whose inputs have become far larger or smaller, so that their metrics have begun anew
     */
    public record Unusual(List<String> notFinite, List<String> unlikeOthers, List<String> changed) {}

    /**
     * Shows inputs to the metrics.
     *
     * @param inputs of the layers, a {@link #copy}
     */
    public Unusual observe(List<INDArray> inputs) {
        Unusual unusual = new Unusual(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            for (int i = 0; i < observed.size(); i++) {
                if (inputs.get(i) != null) {
                    observe(observed.get(i), inputs.get(i), unusual);
                }
            }
        }
        return unusual;
    }

    private static void observe(Observed each, INDArray inputs, Unusual unusual) {
        Preconditioner metric = each.metric();
        String name = each.layer().conf().getLayer().getLayerName();
        boolean someAside = metric.wantsNext() && !metric.isIdentity();
        boolean taken = metric.observe(inputs);
        if (!taken && !metric.wantsNext()) {
            unusual.notFinite().add(name);
        } else if (taken && someAside) {
            (metric.isOfOneBatch() ? unusual.changed() : unusual.unlikeOthers()).add(name);
        }
    }

    private static INDArray rows(Layer layer) {
        INDArray input = layer.input();
        if (input == null) {
            return null;
        }
        if (layer.conf().getLayer() instanceof ConvolutionLayer convolution) {
            return patches(input, convolution, MOST_CONVOLVED_EXAMPLES);
        }
        INDArray rows = input.rank() == 3 ? steps(input, layer) : input;
        return rows.rank() == 2 ? rows.castTo(layer.params().dataType()).dup('c') : null;
    }

    /** Each time step of each sequence is an input; the padding of masked ones too, which is zero. */
    private static INDArray steps(INDArray input, Layer layer) {
        RNNFormat format = layer.conf().getLayer() instanceof BaseRecurrentLayer recurrent
                ? recurrent.getRnnDataFormat()
                : ((RnnOutputLayer) layer.conf().getLayer()).getRnnDataFormat();
        INDArray last = format == RNNFormat.NWC ? input : input.permute(0, 2, 1);
        return last.dup('c').reshape('c', last.size(0) * last.size(1), last.size(2));
    }

    /** Each patch that the kernel sees is an input. */
    static INDArray patches(INDArray input, ConvolutionLayer conf, long most) {
        INDArray columns = columns(input, conf, most);
        return columns.permute(0, 2, 1).dup('c').reshape('c', columns.size(0) * columns.size(2), columns.size(1));
    }

    /** Returns the patches that the kernel sees, [examples, numbers of a patch, positions]. */
    public static INDArray columns(INDArray input, ConvolutionLayer conf, long most) {
        INDArray images = conf.getCnn2dDataFormat() == CNN2DFormat.NHWC ? input.permute(0, 3, 1, 2) : input;
        long examples = Math.min(most, images.size(0));
        INDArray some = images.get(
                        NDArrayIndex.interval(0, examples), NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.all())
                .dup('c');
        int[] kernel = conf.getKernelSize();
        int[] stride = conf.getStride();
        int[] dilation = conf.getDilation();
        boolean same = conf.getConvolutionMode() == ConvolutionMode.Same;
        int[] size = ConvolutionUtils.getOutputSize(
                some,
                kernel,
                stride,
                same ? null : conf.getPadding(),
                conf.getConvolutionMode(),
                dilation,
                CNN2DFormat.NCHW);
        int[] padding = same
                ? ConvolutionUtils.getSameModeTopLeftPadding(
                        size, new int[] {(int) some.size(2), (int) some.size(3)}, kernel, stride, dilation)
                : conf.getPadding();
        INDArray columns = Nd4j.createUninitialized(
                some.dataType(), new long[] {examples, some.size(1), kernel[0], kernel[1], size[0], size[1]}, 'c');
        Convolution.im2col(
                some,
                kernel[0],
                kernel[1],
                stride[0],
                stride[1],
                padding[0],
                padding[1],
                dilation[0],
                dilation[1],
                same,
                columns);
        return columns.reshape('c', examples, some.size(1) * kernel[0] * kernel[1], (long) size[0] * size[1]);
    }
}
