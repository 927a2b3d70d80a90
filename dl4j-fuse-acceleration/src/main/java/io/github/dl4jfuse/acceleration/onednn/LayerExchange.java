package io.github.dl4jfuse.acceleration.onednn;

import io.github.dl4jfuse.acceleration.updating.FastUpdater;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.layers.AbstractLayer;
import org.deeplearning4j.nn.layers.ActivationLayer;
import org.deeplearning4j.nn.layers.DropoutLayer;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.layers.LossLayer;
import org.deeplearning4j.nn.layers.OutputLayer;
import org.deeplearning4j.nn.layers.convolution.Convolution1DLayer;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.deeplearning4j.nn.layers.convolution.ZeroPaddingLayer;
import org.deeplearning4j.nn.layers.convolution.subsampling.Subsampling1DLayer;
import org.deeplearning4j.nn.layers.convolution.subsampling.SubsamplingLayer;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.layers.normalization.BatchNormalization;
import org.deeplearning4j.nn.layers.pooling.GlobalPoolingLayer;
import org.deeplearning4j.nn.layers.recurrent.BidirectionalLayer;
import org.deeplearning4j.nn.layers.recurrent.GravesLSTM;
import org.deeplearning4j.nn.layers.recurrent.LSTM;
import org.deeplearning4j.nn.layers.recurrent.LastTimeStepLayer;
import org.deeplearning4j.nn.layers.recurrent.MaskZeroLayer;
import org.deeplearning4j.nn.layers.recurrent.RnnOutputLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/** Puts layers of ours in the place of DL4J's in a network, and takes them out again. */
public final class LayerExchange {

    private LayerExchange() {}

    /** Which of DL4J's layers, exactly, which of them are not covered and why, and what takes the place of the others. */
    private record Kind<L extends Layer>(Class<L> type, Function<L, String> obstacle, Function<L, Layer> maker) {

        String obstacle(Layer layer) {
            return obstacle.apply(type.cast(layer));
        }

        Layer make(Layer layer) {
            return maker.apply(type.cast(layer));
        }
    }

    private static final Map<Class<?>, Kind<?>> KINDS = Stream.of(
                    new Kind<>(ConvolutionLayer.class, FastConvolution::obstacle, FastConvolution::new),
                    new Kind<>(Convolution1DLayer.class, FastConvolution1D::obstacle, FastConvolution1D::new),
                    new Kind<>(SubsamplingLayer.class, FastPooling::obstacle, FastPooling::new),
                    new Kind<>(Subsampling1DLayer.class, FastPooling1D::obstacle, FastPooling1D::new),
                    new Kind<>(ZeroPaddingLayer.class, layer -> null, FastZeroPadding::new),
                    new Kind<>(GlobalPoolingLayer.class, FastGlobalPooling::obstacle, FastGlobalPooling::new),
                    new Kind<>(BatchNormalization.class, FastBatchNorm::obstacle, FastBatchNorm::new),
                    new Kind<>(ActivationLayer.class, FastActivation::obstacle, FastActivation::new),
                    new Kind<>(DropoutLayer.class, layer -> null, FastDropout::new),
                    new Kind<>(LSTM.class, FastLstm::obstacle, FastLstm::new),
                    new Kind<>(DenseLayer.class, FastDense::obstacle, FastDense::new),
                    new Kind<>(OutputLayer.class, FastOutput::obstacle, FastOutput::new),
                    new Kind<>(RnnOutputLayer.class, FastRnnOutput::obstacle, FastRnnOutput::new),
                    new Kind<>(LossLayer.class, layer -> null, FastLoss::new),
                    dl4js(MaskZeroLayer.class, "what it holds always has a mask, and masked sequences are DL4J's"),
                    dl4js(BidirectionalLayer.class, "DL4J has no way to exchange the layers that it holds"),
                    dl4js(GravesLSTM.class, "its gates read the cells, too"))
            .collect(Collectors.toMap(Kind::type, kind -> kind));

    private static <L extends Layer> Kind<L> dl4js(Class<L> type, String reason) {
        return new Kind<>(type, layer -> reason, layer -> layer);
    }

    /** Returns why a layer of DL4J's has none of ours, a sentence without its beginning, or null where it has. */
    private static String obstacle(Layer layer) {
        if (layer instanceof FastLayer) {
            return null;
        }
        if (layer instanceof FrozenLayerWithBackprop && inner(layer) instanceof BatchNormalization) {
            return "batch normalization fails within a FrozenLayerWithBackprop";
        }
        if (isWrapper(layer)) {
            return obstacle(inner(layer));
        }
        Kind<?> kind = KINDS.get(layer.getClass());
        return kind == null ? "there is none of ours for " + layer.getClass().getSimpleName() : kind.obstacle(layer);
    }

    static boolean isFrozen(Layer layer) {
        return layer.getClass() == FrozenLayer.class || layer.getClass() == FrozenLayerWithBackprop.class;
    }

    /** Whether a layer holds one that may be exchanged within it. */
    private static boolean isWrapper(Layer layer) {
        return isFrozen(layer) || layer.getClass() == LastTimeStepLayer.class;
    }

    /** Returns what a layer holds, at the innermost, or the layer itself. */
    static Layer inner(Layer layer) {
        return isWrapper(layer) ? inner(((BaseWrapperLayer) layer).getUnderlying()) : layer;
    }

    /**
     * Whether nobody needs gradients behind a layer: where one is frozen they end, and others that learn nothing hand them on to nobody if
     * they are the first. A layer of the user's may look at them.
     */
    static boolean isIdle(Layer layer, boolean first) {
        boolean known = layer instanceof FastLayer || isDl4js(layer.getClass());
        return layer instanceof FrozenLayer || first && (isFrozen(layer) || layer.numParams() == 0 && known);
    }

    static boolean isDl4js(Class<?> type) {
        return type.getPackageName().startsWith("org.deeplearning4j.");
    }

    /** What holds a layer stays; of frozen ones DL4J asks for the class. */
    private static Layer within(Layer holder, UnaryOperator<Layer> by) {
        BaseWrapperLayer wrapper = (BaseWrapperLayer) holder;
        wrapper.setUnderlying(by.apply(wrapper.getUnderlying()));
        return holder;
    }

    /** Returns the layer of ours for one of DL4J's, or itself where there is none. */
    static Layer fast(Layer layer) {
        if (isWrapper(layer)) {
            return obstacle(layer) == null ? within(layer, LayerExchange::fast) : layer;
        }
        return layer instanceof FastLayer || obstacle(layer) != null
                ? layer
                : carryOver(layer, KINDS.get(layer.getClass()).make(layer));
    }

    /** Returns why layers of a network are DL4J's, by their names, in their order. */
    public static Map<String, String> obstacles(Layer[] layers) {
        Map<String, String> obstacles = new LinkedHashMap<>();
        for (Layer layer : layers) {
            String obstacle = obstacle(layer);
            if (obstacle != null) {
                obstacles.put(layer.conf().getLayer().getLayerName(), obstacle);
            }
        }
        return obstacles;
    }

    /** Returns the layer of DL4J's that one of ours stands for, or itself. */
    static Layer original(Layer layer) {
        if (isWrapper(layer)) {
            return within(layer, LayerExchange::original);
        }
        if (!(layer instanceof FastLayer fast)) {
            return layer;
        }
        fast.exchanged().free();
        return carryOver(layer, fast.exchanged().original());
    }

    /** Gives a layer what another one of the same configuration has. */
    private static Layer carryOver(Layer from, Layer to) {
        to.setIndex(from.getIndex());
        to.setListeners(from.getListeners());
        to.setIterationCount(from.getIterationCount());
        to.setEpochCount(from.getEpochCount());
        to.setCacheMode(from.conf().getCacheMode());
        to.setMaskArray(from.getMaskArray());
        ((AbstractLayer<?>) to).setInputModificationAllowed(((AbstractLayer<?>) from).isInputModificationAllowed());
        to.setParamTable(from.paramTable());
        if (from.conf().getLayer() instanceof FeedForwardLayer && from.params() != null) {
            to.setParamsViewArray(from.params());
            if (from.getGradientsViewArray() != null) {
                to.setBackpropGradientsViewArray(from.getGradientsViewArray());
            }
        }
        if (from instanceof RecurrentLayer recurrent) {
            ((RecurrentLayer) to).rnnSetPreviousState(recurrent.rnnGetPreviousState());
            ((RecurrentLayer) to).rnnSetTBPTTState(recurrent.rnnGetTBPTTState());
        }
        if (from instanceof IOutputLayer output && output.getLabels() != null) {
            ((IOutputLayer) to).setLabels(output.getLabels());
        }
        return to;
    }

    /** Returns why oneDNN cannot be called here, a sentence without its beginning, or null. */
    public static String obstacle() {
        return OneDnn.obstacle();
    }

    /** Exchanges what is covered in a network in float. */
    public static void attach(MultiLayerNetwork network) {
        exchange(network, LayerExchange::fast);
        Layer[] layers = network.getLayers();
        boolean first = true;
        for (int i = 0; i < layers.length; i++) {
            if (inner(layers[i]) instanceof FastLayer fast) {
                fast.exchanged().neighbours().set(passImages(network, i), passImages(network, i - 1), first);
                fast.exchanged().neighbours().freeze(isFrozen(layers[i]));
                fast.exchanged().setBeforeBackward(() -> FastUpdater.attach(network));
            }
            first = isIdle(layers[i], first);
        }
        keepInputs(layers);
        FastUpdater.renew(network, true);
    }

    /** Whether a layer and the next one pass images with their channels last to each other. */
    private static boolean passImages(MultiLayerNetwork network, int layer) {
        Layer[] layers = network.getLayers();
        return layer >= 0
                && layer + 1 < layers.length
                && isPlain(network, layer + 1)
                && givesImages(layers[layer])
                && takesImages(layers[layer + 1]);
    }

    /** Values are kept for derivatives, and whatever comes behind may hand them on to a layer that would put noise on them in place. */
    static void keepInputs(Layer[] layers) {
        if (!names(layers).isEmpty()) {
            for (Layer layer : layers) {
                layer.allowInputModification(false);
            }
        }
    }

    /** Puts DL4J's layers back. */
    public static void detach(MultiLayerNetwork network) {
        exchange(network, LayerExchange::original);
        Layer[] layers = network.getLayers();
        for (int i = 1; i < layers.length; i++) {
            layers[i].allowInputModification(true); // as init() does
        }
        FastUpdater.renew(network, false);
    }

    private static boolean isPlain(MultiLayerNetwork network, int layer) {
        return network.getLayerWiseConfigurations().getInputPreProcess(layer) == null;
    }

    /** Whether images come out of a layer with their channels last. */
    static boolean givesImages(Layer layer) {
        return inner(layer) instanceof FastLayer fast && fast.takesImages();
    }

    /** Dropout before a layer works in place on what it gets, and DL4J's is slow where neighbours are not. */
    static boolean takesImages(Layer layer) {
        return givesImages(layer)
                && (inner(layer) instanceof FastDropout
                        || layer.conf().getLayer().getIDropout() == null);
    }

    /** Returns the names of the layers of ours. */
    public static List<String> names(Layer[] layers) {
        List<String> names = new ArrayList<>();
        for (Layer layer : layers) {
            if (inner(layer) instanceof FastLayer) {
                names.add(layer.conf().getLayer().getLayerName());
            }
        }
        return names;
    }

    private static void exchange(MultiLayerNetwork network, UnaryOperator<Layer> by) {
        Layer[] layers = network.getLayers();
        Map<String, Layer> byName = layersByName(network);
        for (int i = 0; i < layers.length; i++) {
            Layer before = layers[i];
            Layer after = by.apply(before);
            if (after != before) {
                layers[i] = after;
                byName.replaceAll((name, layer) -> layer == before ? after : layer);
            }
        }
    }

    /** There is no setter. */
    @SuppressWarnings("unchecked")
    private static Map<String, Layer> layersByName(MultiLayerNetwork network) {
        return (Map<String, Layer>) hidden(MultiLayerNetwork.class, "layerMap", network);
    }

    /** Returns what a field of DL4J's holds. */
    static Object hidden(Class<?> type, String field, Object owner) {
        try {
            Field found = type.getDeclaredField(field);
            found.setAccessible(true);
            return found.get(owner);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("This release of Deeplearning4j keeps its layers elsewhere.", e);
        }
    }
}
