package io.github.dl4jfuse.examples.upstream;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.layers.convolution.Conv2D;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Conv2DConfig;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reproduces, on a backend that was built with oneDNN: a convolution in NHWC reads an array that is a view as if it lay in
 * memory in c order. See docs/upstream.md.
 */
public final class NhwcViewsMisread {

    private NhwcViewsMisread() {}

    public static void main(String[] args) {
        Nd4j.getRandom().setSeed(1);
        INDArray images = Nd4j.randn(DataType.FLOAT, 2, 3, 8, 8);
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
            INDArray view = images.castTo(type).permute(0, 2, 3, 1);
            INDArray ofView = convolution(view);
            INDArray ofCopy = convolution(view.dup('c'));
            System.out.printf(
                    "%s: largest output %.3f; of the view and of its copy they differ by up to %.3g%n",
                    type,
                    ofCopy.amaxNumber().doubleValue(),
                    ofView.sub(ofCopy).amaxNumber().doubleValue());
        }
    }

    private static INDArray convolution(INDArray input) {
        Nd4j.getRandom().setSeed(2);
        INDArray weights = Nd4j.randn(DataType.DOUBLE, 3, 3, 3, 4).castTo(input.dataType());
        Conv2DConfig config = Conv2DConfig.builder()
                .kH(3)
                .kW(3)
                .sH(1)
                .sW(1)
                .dataFormat("NHWC")
                .build();
        return Nd4j.exec(new Conv2D(new INDArray[] {input, weights}, null, config))[0];
    }
}
