package io.github.dl4jfuse.network;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The parameters in blocks that are trained which must not move: frozen, or of rate zero. */
final class HeldParameters {

    private record Part(int block, long from, long to) {}

    private final List<Part> parts = new ArrayList<>();

    HeldParameters(List<UpdaterBlock> blocks) {
        for (int b = 0; b < blocks.size(); b++) {
            int start = blocks.get(b).getParamOffsetStart();
            for (UpdaterBlock.ParamState p : blocks.get(b).getLayersAndVariablesInBlock()) {
                if (!mayMove(p)) {
                    parts.add(new Part(b, p.getParamOffsetStart() - start, p.getParamOffsetEnd() - start));
                }
            }
        }
    }

    /** Returns whether a parameter may move. */
    static boolean mayMove(UpdaterBlock.ParamState p) {
        return NetworkParameter.mayMove(p.getLayer(), p.getParamName());
    }

    /** Sets their components of a vector, block by block, to zero. */
    void clear(INDArray[] vector) {
        for (Part part : parts) {
            vector[part.block()].get(interval(part.from(), part.to())).assign(0);
        }
    }
}
