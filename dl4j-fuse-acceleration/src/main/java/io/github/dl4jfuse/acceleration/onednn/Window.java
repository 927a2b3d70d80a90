package io.github.dl4jfuse.acceleration.onednn;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.util.Convolution1DUtils;
import org.deeplearning4j.util.ConvolutionUtils;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A window that moves over images, rows and columns of each.
 *
 * @param output number of its places
 * @param kernel size
 * @param stride distance of two places
 * @param dilation distance of two numbers within it, 1 for neighbours
 * @param paddingBefore zeros at the top and on the left
 * @param paddingAfter zeros at the bottom and on the right; below 0 where the last rows are never seen
 */
record Window(long[] output, long[] kernel, long[] stride, long[] dilation, long[] paddingBefore, long[] paddingAfter) {

    /** Returns that of DL4J's configuration over an input [n, c, h, w]; refuses what does not fit, in DL4J's words. */
    static Window of(INDArray input, int[] kernel, int[] stride, int[] dilation, int[] padding, ConvolutionMode mode) {
        boolean same = mode == ConvolutionMode.Same;
        int[] size = ConvolutionUtils.getOutputSize(
                input, kernel, stride, same ? null : padding, mode, dilation, CNN2DFormat.NCHW);
        int[] in = {(int) input.size(2), (int) input.size(3)};
        int[] before = same ? ConvolutionUtils.getSameModeTopLeftPadding(size, in, kernel, stride, dilation) : padding;
        long[] after = new long[2];
        for (int i = 0; i < after.length; i++) {
            after[i] = (size[i] - 1L) * stride[i] + (kernel[i] - 1L) * dilation[i] + 1 - in[i] - before[i];
        }
        return new Window(longs(size), longs(kernel), longs(stride), longs(dilation), longs(before), after);
    }

    /** Returns that of DL4J's configuration over sequences [n, c, t], as images of one row. */
    static Window ofSequences(INDArray input, int kernel, int stride, int dilation, int padding, ConvolutionMode mode) {
        long size = Convolution1DUtils.getOutputSize(input, kernel, stride, padding, mode, dilation);
        long extent = (kernel - 1L) * dilation + 1;
        long needed = (size - 1) * stride + extent;
        long before = switch (mode) {
            case Same -> Math.max(0, (needed - input.size(2)) / 2);
            case Causal -> extent - 1;
            default -> padding;
        };
        return new Window(
                new long[] {1, size},
                new long[] {1, kernel},
                new long[] {1, stride},
                new long[] {1, dilation},
                new long[] {0, before},
                new long[] {0, needed - input.size(2) - before});
    }

    private static long[] longs(int[] values) {
        return Arrays.stream(values).asLongStream().toArray();
    }
}
