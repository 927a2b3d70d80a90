package io.github.dl4jfuse.acceleration.onednn;

import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A vertex of ours in the place of DL4J's, which passes images on with their channels last. */
interface FastVertex extends GraphVertex {

    /** Returns the vertex that it stands for. */
    GraphVertex original();

    /** Returns what lies around it, as seen along one of its inputs. */
    Neighbours neighbours(int input);

    /** Makes what lies around a vertex. */
    static Neighbours[] around(GraphVertex original) {
        Neighbours[] around = new Neighbours[original.getNumInputArrays()];
        for (int i = 0; i < around.length; i++) {
            around[i] = new Neighbours();
        }
        return around;
    }

    /** Returns whether arrays are images of one batch and of the same size, whatever their channels. */
    static boolean areImages(INDArray... arrays) {
        for (INDArray array : arrays) {
            if (array == null || array.rank() != 4) {
                return false;
            }
            for (int dimension : new int[] {0, 2, 3}) {
                if (array.size(dimension) != arrays[0].size(dimension)) {
                    return false;
                }
            }
        }
        return true;
    }
}
