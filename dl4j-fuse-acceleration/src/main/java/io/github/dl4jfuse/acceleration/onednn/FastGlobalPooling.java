package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.pooling.GlobalPoolingLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** DL4J's global pooling of images on {@link PoolingKernels}, with a window as large as they are. */
final class FastGlobalPooling extends GlobalPoolingLayer implements FastLayer {

    private static final int[] ROWS_AND_COLUMNS = {2, 3};
    private static final int[] ROWS_AND_COLUMNS_NHWC = {1, 2};

    private final transient Exchanged<List<Long>, PoolingKernels> exchanged;
    private transient boolean computed; // whether the last forward pass was of this input

    FastGlobalPooling(GlobalPoolingLayer original) {
        super(original.conf(), DataType.FLOAT);
        exchanged = new Exchanged<>(original, format(layerConf()), this::make);
    }

    /** It has no format, but the dimensions tell. */
    private static CNN2DFormat format(org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer conf) {
        return Arrays.equals(conf.getPoolingDimensions(), ROWS_AND_COLUMNS_NHWC) ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
    }

    /** Returns why a layer cannot be computed here, or null. */
    static String obstacle(GlobalPoolingLayer layer) {
        var conf = (org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer)
                layer.conf().getLayer();
        int[] dimensions = conf.getPoolingDimensions();
        if (conf.getPoolingType() == PoolingType.PNORM) {
            return "its pooling is PNORM";
        }
        if (format(conf) == CNN2DFormat.NHWC) {
            return conf.isCollapseDimensions() ? null : "it keeps the dimensions of images in NHWC";
        }
        return dimensions == null || Arrays.equals(dimensions, ROWS_AND_COLUMNS)
                ? null
                : "it pools over dimensions " + Arrays.toString(dimensions);
    }

    @Override
    public Exchanged<?, ?> exchanged() {
        return exchanged;
    }

    @Override
    public boolean takesImages() {
        return exchanged.isNchw();
    }

    private PoolingKernels make(List<Long> shape) {
        long[] none = {0, 0};
        long[] one = {1, 1};
        Window window = new Window(one, new long[] {shape.get(2), shape.get(3)}, one, one, none, none);
        PoolingKernels.Kind kind =
                layerConf().getPoolingType() == PoolingType.MAX ? PoolingKernels.Kind.MAX : PoolingKernels.Kind.MEAN;
        return new PoolingKernels(
                kind, shape.stream().mapToLong(Long::longValue).toArray(), window);
    }

    private PoolingKernels kernels(INDArray images) {
        return exchanged.kernels(Arrays.stream(images.shape()).boxed().toList());
    }

    /** Sequences, and images with a mask, are DL4J's. */
    private boolean isOurs() {
        return input.rank() == 4 && maskArray == null;
    }

    @Override
    public void setInput(INDArray newInput, LayerWorkspaceMgr workspaces) {
        computed = false;
        super.setInput(newInput, workspaces);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
        assertInputSet(false);
        if (!isOurs()) {
            return byDl4j(() -> super.activate(training, workspaces));
        }
        INDArray y = compute(ArrayType.ACTIVATIONS, workspaces);
        computed = training;
        return layerConf().isCollapseDimensions() ? y : y.reshape(y.size(0), y.size(1), 1, 1);
    }

    /** Its operations want c order. */
    private <T> T byDl4j(Supplier<T> work) {
        INDArray before = input;
        try {
            input = before.dup('c');
            return work.get();
        } finally {
            input = before;
        }
    }

    private INDArray compute(ArrayType type, LayerWorkspaceMgr workspaces) {
        INDArray x = exchanged.images(input);
        INDArray y = workspaces.createUninitialized(type, DataType.FLOAT, new long[] {x.size(0), x.size(1)}, 'c');
        kernels(x).forward(x, y);
        if (layerConf().getPoolingType() == PoolingType.MAX && !Finite.areAll(x)) {
            findLargest(x, y);
        }
        return isSum() ? y.muli(places(x)) : y;
    }

    /** Of NaN and others it is NaN, which neither oneDNN nor DL4J's operation here finds in all places. */
    private static void findLargest(INDArray x, INDArray y) {
        float[] all = x.dup('c').data().asFloat();
        float[] largest = new float[(int) y.length()];
        Arrays.fill(largest, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < all.length; i++) {
            int image = (int) (i / places(x));
            largest[image] = Math.max(largest[image], all[i]);
        }
        y.assign(Nd4j.createFromArray(largest).reshape(y.shape()));
    }

    private boolean isSum() {
        return layerConf().getPoolingType() == PoolingType.SUM;
    }

    private static long places(INDArray images) {
        return images.size(2) * images.size(3);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
        assertInputSet(true);
        exchanged.backward();
        if (!isOurs()) {
            return byDl4j(() -> super.backpropGradient(epsilon, workspaces));
        }
        if (!computed) {
            compute(ArrayType.BP_WORKING_MEM, workspaces);
        }
        computed = false;
        INDArray x = exchanged.images(input);
        INDArray eps = epsilon.castTo(DataType.FLOAT).reshape('c', x.size(0), x.size(1), 1, 1);
        INDArray next = Layout.images(ArrayType.ACTIVATION_GRAD, x.shape(), workspaces);
        kernels(x).backward(isSum() ? eps.mul(places(x)) : eps, next);
        return new Pair<>(new DefaultGradient(), exchanged.forPrevious(next, workspaces));
    }
}
