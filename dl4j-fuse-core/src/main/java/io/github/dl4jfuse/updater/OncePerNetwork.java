package io.github.dl4jfuse.updater;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Something that is to be said once for each network, by updaters each of which knows one block of it.
 *
 * <p>What the blocks of a network have in common is the memory of all gradients. A network of SameDiff has an array for each
 * variable instead, and one configuration for all. In 1.0.0-M1.1 a view does not tell whose memory it is, so each block speaks there.
 * Programs that make networks without end are told {@value #NETWORKS}
 * times.
 */
final class OncePerNetwork {

    static final int NETWORKS = 1_000;

    private final List<WeakReference<Object>> told = new ArrayList<>();
    private int count;

    /** Returns whether this is to be said now; then it has been. */
    @SuppressWarnings("ReferenceEquality") // buffers and configurations of equal content are other networks'
    synchronized boolean isFirst(INDArray gradient, Object config) {
        DataBuffer whole = gradient.data().originalDataBuffer();
        Object network = whole == null ? config : whole;
        told.removeIf(each -> each.get() == null);
        if (count == NETWORKS || told.stream().anyMatch(each -> each.get() == network)) {
            return false;
        }
        count++;
        told.add(new WeakReference<>(network));
        return true;
    }
}
