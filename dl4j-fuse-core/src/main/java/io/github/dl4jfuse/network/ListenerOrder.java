package io.github.dl4jfuse.network;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.TrainingListener;

/**
 * Brings a listener to the front of a network's list, so that those that save, evaluate or report see whole steps, wherever the
 * user has put it.
 */
public final class ListenerOrder {

    private final TrainingListener listener;
    private final Predicate<TrainingListener> comesAfter;
    private boolean moved;

    /**
     * Of one listener.
     *
     * @param listener to be moved
     * @param comesAfter which of the others it is to be before
     */
    public ListenerOrder(TrainingListener listener, Predicate<TrainingListener> comesAfter) {
        this.listener = listener;
        this.comesAfter = comesAfter;
    }

    /**
     * To be called in onForwardPass or onBackwardPass, which DL4J calls along the network's list: listeners are moved without
     * changing its size, which allows it to go on.
     */
    @SuppressWarnings("ReferenceEquality") // the listener itself
    public void onPass(Model model) {
        List<TrainingListener> all = listeners(model);
        for (int target = 0; target < all.size() && all.get(target) != listener; target++) {
            if (comesAfter.test(all.get(target))) {
                moveTo(target, all);
                return;
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // the listener itself
    private void moveTo(int target, List<TrainingListener> all) {
        int found = target;
        while (found < all.size() && all.get(found) != listener) {
            found++;
        }
        if (found == all.size()) {
            return; // called by a listener of the user's, which is in the list for it
        }
        for (int i = found; i > target; i--) {
            all.set(i, all.get(i - 1));
        }
        all.set(target, listener);
        moved = true;
    }

    /** To be called in onGradientCalculation: hands the order to DL4J's optimiser, which has a list of its own. */
    public void onGradientCalculation(Model model) {
        if (moved) {
            moved = false;
            model.getOptimizer().setListeners(new ArrayList<>(listeners(model)));
        }
    }

    private static List<TrainingListener> listeners(Model model) {
        return Surroundings.listeners(model) instanceof List<TrainingListener> list ? list : List.of();
    }
}
