package io.github.dl4jfuse.acceleration;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNBatchNormHelper;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's batch normalization on oneDNN, given arrays in c order only. */
public class ContiguousBatchNorm extends MKLDNNBatchNormHelper {

    /** Called by {@link BatchNormStandIn}. */
    public ContiguousBatchNorm(DataType dataType) {
        super(dataType);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(
            INDArray input,
            INDArray epsilon,
            long[] shape,
            INDArray gamma,
            INDArray beta,
            INDArray gammaGradView,
            INDArray betaGradView,
            double eps,
            CNN2DFormat format,
            LayerWorkspaceMgr workspaces) {
        return super.backpropGradient(
                Contiguous.of(input, ArrayType.BP_WORKING_MEM, workspaces),
                Contiguous.of(epsilon, ArrayType.BP_WORKING_MEM, workspaces),
                shape,
                gamma,
                beta,
                gammaGradView,
                betaGradView,
                eps,
                format,
                workspaces);
    }

    @Override
    public INDArray preOutput(
            INDArray input,
            boolean training,
            long[] shape,
            INDArray gamma,
            INDArray beta,
            INDArray mean,
            INDArray variance,
            double decay,
            double eps,
            CNN2DFormat format,
            LayerWorkspaceMgr workspaces) {
        return super.preOutput(
                Contiguous.of(input, ArrayType.FF_WORKING_MEM, workspaces),
                training,
                shape,
                gamma,
                beta,
                mean,
                variance,
                decay,
                eps,
                format,
                workspaces);
    }
}
