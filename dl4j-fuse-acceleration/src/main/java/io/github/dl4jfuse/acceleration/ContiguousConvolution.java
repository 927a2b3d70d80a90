package io.github.dl4jfuse.acceleration;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer.AlgoMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer.BwdDataAlgo;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer.BwdFilterAlgo;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer.FwdAlgo;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNConvHelper;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DL4J's convolution on oneDNN, given arrays in c order only. A view comes from the user's input, from the layer below,
 * and in NHWC from every activation function that returns an array of its own instead of working in place (RELU).
 */
public class ContiguousConvolution extends MKLDNNConvHelper {

    /** Called by {@link ConvolutionStandIn}. */
    public ContiguousConvolution(DataType dataType) {
        super(dataType);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(
            INDArray input,
            INDArray weights,
            INDArray bias,
            INDArray delta,
            int[] kernel,
            int[] strides,
            int[] pad,
            INDArray biasGradView,
            INDArray weightGradView,
            IActivation activation,
            AlgoMode mode,
            BwdFilterAlgo filterAlgo,
            BwdDataAlgo dataAlgo,
            ConvolutionMode convolutionMode,
            int[] dilation,
            CNN2DFormat format,
            LayerWorkspaceMgr workspaces) {
        return super.backpropGradient(
                Contiguous.of(input, ArrayType.BP_WORKING_MEM, workspaces),
                weights,
                bias,
                Contiguous.of(delta, ArrayType.BP_WORKING_MEM, workspaces),
                kernel,
                strides,
                pad,
                biasGradView,
                weightGradView,
                activation,
                mode,
                filterAlgo,
                dataAlgo,
                convolutionMode,
                dilation,
                format,
                workspaces);
    }

    @Override
    public INDArray preOutput(
            INDArray input,
            INDArray weights,
            INDArray bias,
            int[] kernel,
            int[] strides,
            int[] pad,
            AlgoMode mode,
            FwdAlgo algo,
            ConvolutionMode convolutionMode,
            int[] dilation,
            CNN2DFormat format,
            LayerWorkspaceMgr workspaces) {
        return super.preOutput(
                Contiguous.of(input, ArrayType.FF_WORKING_MEM, workspaces),
                weights,
                bias,
                kernel,
                strides,
                pad,
                mode,
                algo,
                convolutionMode,
                dilation,
                format,
                workspaces);
    }
}
